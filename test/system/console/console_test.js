// SPDX-License-Identifier: MIT
// The web console in a real browser, with a real server and a real MariaDB.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Browser, Mariadb, Server, removeScratch, scratch, waitUntil } from './fixture.js';

const MANY_TAGS = 10000;
const HOSTILE = [
  '<img src=x onerror=alert(1)>', '"><script>alert(1)</script>', "'; DROP TABLE id_segments; --", '{{7*7}}${7*7}',
  'javascript:alert(1)', '../../etc/passwd', '%2e%2e%2f%00', '\u202Eesrever', '标签 名称', 'a&b=c#d?e', '__proto__', 'constructor',
];

const database = new Mariadb();
let browser;
let server;

before(async () => {
  await database.start();
  [browser, server] = await Promise.all([Browser.start(), Server.start(database.url, '--metrics-tags', '1000')]);
});

after(async () => {
  await browser?.stop();
  await server?.stop();
  await database.stop();
  removeScratch();
});

const path = (page, plot) => page.locator('.plot').nth(plot).locator('.plot-line').getAttribute('d');

async function create(page, name) {
  await page.getByRole('button', { name: 'New tag' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create' }).click();
}

test('a tag is created, ids flow and the plots move', async () => {
  await browser.withPage(server, '#/tags', {}, async (page) => {
    await create(page, 'fresh');
    await page.getByText('fresh was created').waitFor();
    await page.getByText('This server has not used the tag').waitFor();
    const stop = server.letIdsFlow('fresh', 200);
    try {
      await page.getByText('Serving').waitFor();
      const before = await waitUntil(() => path(page, 0).catch(() => null), 'a line');
      await waitUntil(async () => (await path(page, 0)) !== before && (await path(page, 0)).includes('L'), 'the line moves', 40);
      const label = () => page.locator('.plot-picture').first().getAttribute('aria-label');
      await waitUntil(async () => /^Ids per second, last hour: now [1-9]/.test(await label()), 'a rate');
    } finally {
      stop();
    }
  });
});

test('the overview shows the rate, and how long ids last without the database', async () => {
  const stop = server.letIdsFlow('order', 500);
  try {
    await browser.withPage(server, '', {}, async (page) => {
      await page.getByText('Ready').waitFor();
      await waitUntil(async () => /^\d+ (s|min|h|days)$/.test(await page.locator('.tile dd').nth(1).textContent()), 'how long ids last');
      await page.locator('.tile').nth(1).getByText('order').waitFor();
      await waitUntil(async () => Number.parseFloat(await page.locator('.tile dd').first().textContent()) > 0, 'a rate');
      await page.getByText('Up', { exact: true }).waitFor();
      assert.equal(await page.getByText('secret').count(), 0);
      const lines = () => page.locator('.plot-line').first().getAttribute('d');
      const before = await waitUntil(() => lines().catch(() => null), 'a line');
      await waitUntil(async () => (await lines()) !== before, 'the line moves');
    });
  } finally {
    stop();
  }
});

test('a wrong token is refused, and the right one allows changes', async () => {
  const tokens = join(scratch, 'tokens');
  writeFileSync(tokens, 'right\n', { mode: 0o600 });
  const guarded = await Server.start(database.url, '--admin-token-file', tokens);
  try {
    await browser.withPage(guarded, '', {}, async (page) => {
      await page.getByRole('button', { name: 'Change' }).click();
      await page.getByLabel('Token').last().fill('wrong');
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByText('The server refuses this token.').waitFor();
      await page.getByLabel('Token').last().fill('right');
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByText('Token accepted').waitFor();
      await page.locator('dialog select').selectOption('debug');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('The log level is debug').waitFor();
      await page.reload();
      await page.getByRole('button', { name: 'Token set' }).waitFor();
      assert.equal(await page.evaluate(() => localStorage.getItem('featherid-token')), null);
    });
    assert.equal((await guarded.get('/api/v1/log/level')).data, 'debug');
  } finally {
    await guarded.stop();
  }
});

test('a server that is closed to strangers asks for a token before it shows anything', async () => {
  const tokens = join(scratch, 'closed');
  writeFileSync(tokens, 'amy admin right\nshop read other\n', { mode: 0o600 });
  const closed = await Server.start(database.url, '--admin-token-file', tokens);
  try {
    await browser.withPage(closed, '', { expected: /status of 401/ }, async (page) => {
      await page.getByText('This server shows its figures only with a token.').waitFor();
      assert.equal(await page.getByText('mysql').count(), 0);
      await page.locator('#banner button').click();
      await page.locator('dialog input').fill('other');
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByText('Ready').waitFor();
      await page.getByRole('button', { name: 'Change' }).click();
      await page.locator('dialog input').waitFor();
    });
  } finally {
    await closed.stop();
  }
});

test('a tag is changed, advanced and deleted', async () => {
  await browser.withPage(server, '#/tags', {}, async (page) => {
    await create(page, 'short-lived');
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Cap').fill('int32');
    await page.getByLabel('Owner').fill('amy <b>');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('amy <b>').waitFor();
    await page.getByText('2,147,483,647').first().waitFor();
    await page.getByRole('button', { name: 'Advance' }).click();
    await page.getByLabel('Past id').fill('5000');
    await page.getByRole('button', { name: 'Advance' }).last().click();
    await page.getByRole('definition').filter({ hasText: '5,000' }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByLabel('Type the name again').fill('something else');
    await page.getByRole('button', { name: 'Delete' }).last().click();
    await page.getByText('This is not the name of the tag.').waitFor();
    await page.getByLabel('Type the name again').fill('short-lived');
    await page.getByRole('button', { name: 'Delete' }).last().click();
    await page.getByText('short-lived was deleted').waitFor();
  });
  assert.equal((await server.get('/api/v1/tag?biz_tag=short-lived')).status, 404);
});

test('a change that would do nothing, or the wrong thing, is not called done', async () => {
  await browser.withPage(server, '#/tags', {}, async (page) => {
    await create(page, 'once');
    await page.getByText('once was created').waitFor();
    await page.getByRole('link', { name: 'Tags', exact: true }).click();
    await create(page, 'once');
    await page.getByText('This tag exists already.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('searchbox').fill('once');
    await page.keyboard.press('Enter');
    const advance = async (id) => {
      await page.getByRole('button', { name: 'Advance' }).first().click();
      await page.getByLabel('Past id').fill(id);
      await page.getByRole('button', { name: 'Advance' }).last().click();
    };
    await advance(' 1,000,000 ');
    await page.getByText('once was advanced past 1,000,000').waitFor();
    await advance('5,000');
    await page.getByText('The tag is already at 1,000,000').waitFor();
    assert.equal(await page.getByText('allow_backward').count(), 0);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Token' }).click();
    await page.locator('dialog input').fill('anything');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByText('No token is required here').waitFor();
  });
  assert.equal((await server.get('/api/v1/tag?biz_tag=once')).data.max_id, 1000000);
});

test('digits in groups of three are a number, and nothing else is', async () => {
  await browser.withPage(server, '', {}, async (page) => {
    const texts = ['1,000,000', ' 5\u00a0000 ', '12', '1,5', '1,0000', '1000,000', 'none', '2^53', '1,000,', ''];
    assert.deepEqual(await page.evaluate((each) => each.map(typed), texts),
      ['1000000', '5000', '12', '1,5', '1,0000', '1000,000', 'none', '2^53', '1,000,', '']);
  });
});

test('a page of a tag that does not exist says so, and nothing else', async () => {
  await browser.withPage(server, '#/tag/nobody', { expected: /status of 404/ }, async (page) => {
    await page.getByText('There is no tag nobody.').waitFor();
    assert.equal(await page.locator('main .columns').isVisible(), false);
    assert.equal(await page.locator('main .badge').isVisible(), false);
  });
});

test('tags that are near their end need attention', async () => {
  database.run("INSERT INTO id_segments (biz_tag, max_id, step) VALUES ('near-int32', 2100000000, 100);");
  await server.get('/api/v1/id?biz_tag=near-int32');
  await browser.withPage(server, '', {}, async (page) => {
    const line = page.locator('.lines.two li', { hasText: 'near-int32' });
    await line.getByText('97.8 % of int32 (2,147,483,647) used').waitFor();
  });
});

test('a plot of one point shows it, and a tag without a lease has no latency', async () => {
  await browser.withPage(server, '', {}, async (page) => {
    const dots = await page.evaluate(() => {
      const plot = new Plot('a', measured);
      document.getElementById('main').append(plot.element);
      plot.draw([{ ago: 0, value: 3 }]);
      return plot.picture.querySelectorAll('circle').length;
    });
    assert.equal(dots, 1);
  });
});

test('console = off removes the pages and the status calls', async () => {
  const off = await Server.start(database.url, '--console', 'off');
  try {
    for (const path of ['/console', '/console/', '/console/console.js', '/api/v1/status', '/api/v1/status/tags']) {
      assert.equal((await off.get(path)).status, 404, path);
    }
  } finally {
    await off.stop();
  }
});

test('hostile names are text', async () => {
  const quoted = (name) => `'${name.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  database.run(HOSTILE.map((name) => `INSERT INTO id_segments (biz_tag, max_id, step) VALUES (${quoted(name)}, 0, 100);`).join('\n'));
  for (const name of HOSTILE) assert.equal((await server.get(`/api/v1/id?biz_tag=${encodeURIComponent(name)}`)).status, 200, name);
  await browser.withPage(server, '#/tags', {}, async (page) => {
    for (const name of HOSTILE) {
      await page.getByRole('searchbox').fill(name);
      const link = page.locator('.grid-body .grid-row:not([hidden]) a').first();
      await waitUntil(async () => (await link.textContent()) === name, `the row of ${name}`);
      await link.click();
      await waitUntil(async () => (await page.locator('h1').textContent()) === name, `the page of ${name}`);
      await page.getByText('Serving').waitFor();
      assert.equal(await page.locator('main :is(img, script, b, iframe)').count(), 0);
      await page.keyboard.press('Escape');
      await page.getByRole('searchbox').waitFor();
    }
  });
});

test('keys alone are enough', async () => {
  await server.get('/api/v1/id?biz_tag=user');
  await browser.withPage(server, '', {}, async (page) => {
    await page.getByText('Ready').waitFor();
    await page.keyboard.press('/');
    await page.getByRole('searchbox').waitFor();
    await page.locator('.grid-body .grid-row:not([hidden])').first().waitFor();
    await page.keyboard.type('use');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'user', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').waitFor();
    await page.locator('.grid-body .grid-row:not([hidden])').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.locator('.grid-row.active').waitFor();
    const active = await page.locator('.grid-row.active a').textContent();
    const described = await page.locator('.grid').getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`#${described} a`).textContent(), active);
    await page.keyboard.press('Enter');
    await waitUntil(async () => (await page.locator('h1').textContent()) === active, 'the active tag');
    for (let i = 0; i < 4 && !(await page.evaluate(() => document.activeElement.id === 'language')); ++i) await page.keyboard.press('Shift+Tab');
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
    await page.keyboard.press('Enter');
    await waitUntil(() => page.evaluate(() => document.documentElement.lang === 'zh-CN'), 'Chinese');
  });
});

test('Chinese, and the choice of a language is kept', async () => {
  await browser.withPage(server, '', { locale: 'zh-CN' }, async (page) => {
    await page.getByText('脱离数据库').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
    const texts = await page.evaluate(() => Object.entries(TEXTS).filter(([, each]) => {
      const places = each.map((text) => (text.match(/\{\w+\}/g) ?? []).sort().join());
      return each.length !== LANGUAGES.length || each.some((text) => text === '') || new Set(places).size !== 1;
    }));
    assert.deepEqual(texts, []);
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByText('Without the database').waitFor();
    await page.reload();
    await page.getByText('Without the database').waitFor();
  });
});

test('what the server refuses is said in the language of the page, with its own text as detail', async () => {
  await browser.withPage(server, '#/tags', { locale: 'zh-CN', expected: /status of 400/ }, async (page) => {
    await page.getByRole('button', { name: '新建标签' }).click();
    await page.getByLabel('名称').fill('refused');
    await page.getByLabel('上限').fill('plenty');
    await page.getByRole('button', { name: '创建' }).click();
    await page.getByText('服务器不接受此输入。').waitFor();
    assert.match(await page.locator('.problem small[lang=en]').textContent(), /^a cap must be none, int32/);
  });
});

test('light and dark follow the system, and the choice is kept', async () => {
  const colour = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await browser.withPage(server, '', { colorScheme: 'dark' }, async (page) => {
    const dark = await colour(page);
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await colour(page);
    assert.notEqual(dark, light);
    await page.getByRole('button', { name: 'Colours' }).click();
    await page.getByRole('button', { name: 'Colours: light' }).click();
    assert.equal(await colour(page), dark);
    await page.reload();
    assert.equal(await colour(page), dark);
  });
});

test('nothing is cut off on a phone', async () => {
  await server.get('/api/v1/id?biz_tag=order');
  for (const hash of ['', '#/tags', '#/tag/order']) {
    await browser.withPage(server, hash, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (page) => {
      await page.getByText('Ready').waitFor();
      await page.locator('.panel:not([hidden])').first().waitFor();
      await waitUntil(async () => (await page.locator('.plot-line').count()) > 0 || hash === '#/tags', 'the plots');
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, hash);
      await page.getByRole('link', { name: 'Tags', exact: true }).tap();
      await page.locator('.grid-body .grid-row:not([hidden])').first().tap();
      await page.locator('.tag-head').waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, hash);
    });
  }
});

test('the list on a phone shows shares, ends and errors below the names, and sorts by them', async () => {
  database.run("INSERT INTO id_segments (biz_tag, max_id, step) VALUES ('phone', 90000, 1000);");
  assert.equal((await server.get('/api/v1/id?biz_tag=phone')).status, 200);
  await fetch(`${server.address}/api/v1/tag?biz_tag=phone&cap=100000`, { method: 'PATCH' });
  await browser.withPage(server, '#/tags', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (page) => {
    await page.getByRole('searchbox').fill('phone');
    const row = page.locator('.grid-body .grid-row:not([hidden])').first();
    await waitUntil(async () => /^(Cap 9\d\.\d\s% · )?int32 <0\.01\s%/.test(await row.locator('.summary').textContent()), 'the summary');
    await page.getByLabel('Sort by').selectOption('int32');
    await page.locator('[aria-sort="descending"]', { hasText: 'int32' }).waitFor({ state: 'attached' });
  });
});

test('the database stops, and the page says how long ids last', async () => {
  const stop = server.letIdsFlow('order', 100);
  try {
    await browser.withPage(server, '', {}, async (page) => {
      await page.getByText('Ready').waitFor();
      database.freeze();
      const banner = page.getByText(/^The database does not serve\. Ids last another \d+ (s|min|h)/);
      await banner.waitFor();
      await page.getByText('Database down').waitFor();
      assert.equal((await server.get('/api/v1/id?biz_tag=order')).status, 200);
      database.thaw();
      await banner.waitFor({ state: 'detached' });
      await page.getByText('Ready').waitFor();
    });
  } finally {
    database.thaw();
    stop();
  }
});

// Scrolls through the whole table. Returns how long each frame took, and how long its rows took to draw.
function scrollThrough() {
  return new Promise((resolve) => {
    const body = document.querySelector('.grid-body');
    const frames = [];
    const work = [];
    let last = performance.now();
    const step = (now) => {
      frames.push(now - last);
      last = now;
      body.scrollTop += body.scrollHeight / 200;
      const begin = performance.now();
      app.view.render();
      work.push(performance.now() - begin);
      if (body.scrollTop + body.clientHeight < body.scrollHeight) requestAnimationFrame(step);
      else resolve([frames.slice(1), work]);
    };
    requestAnimationFrame(step);
  });
}

test('ten thousand tags scroll, sort and are found', async (t) => {
  const values = Array.from({ length: MANY_TAGS }, (_, i) => `('many-${String(i).padStart(5, '0')}', ${i}, 1000)`);
  database.run(`INSERT INTO id_segments (biz_tag, max_id, step) VALUES ${values.join(',')};`);
  await browser.withPage(server, '#/tags', {}, async (page) => {
    await page.getByText(/^10,\d\d\d tags$/).waitFor();
    const [frames, work] = (await page.evaluate(scrollThrough)).map((times) => times.sort((a, b) => a - b));
    const at = (times, share) => times[Math.floor(times.length * share)].toFixed(1);
    for (const [what, times] of [['frames', frames], ['drawing', work]]) {
      t.diagnostic(`${times.length} ${what}, ms: median ${at(times, 0.5)}, 95 % ${at(times, 0.95)}, longest ${at(times, 0.9999)}`);
    }
    // The time between frames depends on what else the machine does.
    assert(at(work, 0.5) < 8, 'drawing the rows takes half of a frame');
    assert((await page.locator('.grid-row').count()) < 100);
    await page.locator('.grid-body .grid-row:not([hidden])', { hasText: 'user' }).first().waitFor();
    await page.getByRole('button', { name: 'int32' }).click();
    await page.locator('[aria-sort="descending"]', { hasText: 'int32' }).waitFor();
    await page.getByRole('searchbox').fill('many-07777');
    await page.getByText(/^1 of 10,\d\d\d tags$/).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('This server has not used the tag').waitFor();
  });
});
