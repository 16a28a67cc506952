// SPDX-License-Identifier: MIT
// The frame of the console: where the page is, and what is shown on every page.
'use strict';

const STATUS_MS = 2000;
const app = { status: null, at: null, online: true, closed: false, view: null };

function tagAddress(name) {
  return '#/tag/' + encodeURIComponent(name);
}

// --- the top of the page ---

function showTop() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.getElementById('skip').textContent = t('skip');
  const here = location.hash.startsWith('#/tag') ? '#/tags' : '#/';
  document.getElementById('nav').replaceChildren(...[['#/', 'overview'], ['#/tags', 'tags']].map(([href, key]) =>
    h('a', { href, 'aria-current': href === here ? 'page' : null }, t(key))));
  const tokenText = t(token ? 'token_set' : 'token');
  document.getElementById('tools').replaceChildren(
    h('button', { class: 'quiet', type: 'button', id: 'token', title: tokenText, 'aria-label': tokenText, onclick: () => openTokenDialog() }, icon(token ? 'unlock' : 'lock')),
    h('button', { class: 'quiet', type: 'button', id: 'theme', title: t(`theme_${theme}`), 'aria-label': t(`theme_${theme}`), onclick: nextTheme }, icon(theme)),
    h('button', { class: 'quiet', type: 'button', id: 'language', onclick: nextLanguage }, t('language')));
}

function nextTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  memory.set('localStorage', 'theme', theme);
  applyTheme();
  showTop();
  document.getElementById('theme').focus();
}

function nextLanguage() {
  language = LANGUAGES[(LANGUAGES.indexOf(language) + 1) % LANGUAGES.length];
  memory.set('localStorage', 'language', language);
  show();
  showState();
  document.getElementById('language').focus();
}

// --- the state of the server ---

function stateOf() {
  if (!app.online) return ['offline', 'bad'];
  if (!app.status) return [null, ''];
  if (!app.status.ready) return ['not_ready', 'bad'];
  return app.status.store.up === false ? ['store_down', 'warn'] : ['ready', 'ok'];
}

function bannerOf() {
  const { status } = app;
  if (!app.online) return app.at ? [t('offline_banner', { time: dateTime(app.at) })] : [t('no_answer')];
  if (app.closed) return [t('closed_banner'), h('button', { type: 'button', onclick: () => openTokenDialog() }, t('token'))];
  if (!status) return [];
  if (!status.ready) return [t('not_ready_banner'), detail(status.not_ready_because)];
  if (status.store.up !== false) return [];
  const why = detail(status.store.message ?? '');
  const seconds = status.survivable_seconds;
  if (seconds === null) return [t('down_idle_banner'), why];
  if (seconds < 1) return [...sentence('down_out_banner', named(status.worst_tag)), why];
  return [...sentence('down_banner', named(status.worst_tag), { time: duration(seconds) }), why];
}

function showState() {
  const [key, kind] = stateOf();
  const pill = document.getElementById('state');
  const text = key ? t(key) : '';
  if (pill.textContent !== text) pill.textContent = text;
  pill.className = `pill ${kind}`;
  document.getElementById('main').classList.toggle('stale', !app.online);
  const banner = document.getElementById('banner');
  const content = bannerOf();
  // Only if it has changed, or a screen reader would read it out again.
  if (banner.textContent !== content.map((each) => each.textContent ?? each).join('')) banner.replaceChildren(...content);
}

async function refresh() {
  const answer = await read('status');
  app.online = answer.status !== 0;
  app.closed = answer.status === 401 || answer.status === 403;
  if (answer.status === 200) {
    app.status = answer.data;
    app.at = new Date();
    app.view?.update(app.status);
  }
  const lock = token ? 'token_set' : 'token';
  if (document.getElementById('token')?.title !== t(lock)) showTop();
  showState();
}

// --- where the page is ---

function makeView() {
  const { hash } = location;
  if (hash.startsWith('#/tag/')) {
    try {
      return new Tag(decodeURIComponent(hash.slice('#/tag/'.length)));
    } catch {
      return new Tags();  // a bad escape
    }
  }
  return hash.startsWith('#/tags') ? new Tags() : new Overview();
}

function show() {
  app.view?.close();
  app.view = makeView();
  const main = document.getElementById('main');
  main.replaceChildren(app.view.element);
  showTop();
  document.title = app.view instanceof Tag ? `${app.view.name} – FeatherID` : 'FeatherID';
  if (app.status) app.view.update(app.status);
}

function moved() {
  document.querySelector('dialog')?.close();
  show();
  window.scrollTo(0, 0);
  document.getElementById('main').focus({ preventScroll: true });
}

function globalKey(event) {
  if (document.querySelector('dialog') || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === '/' && !typing) {
    event.preventDefault();
    if (app.view instanceof Tags) return app.view.input.focus();
    location.hash = '#/tags';
    addEventListener('hashchange', () => app.view.input?.focus(), { once: true });
  } else if (app.view instanceof Tags && [document.body, document.getElementById('main')].includes(event.target)) {
    if (event.key === 'Escape') location.hash = '#/';
    else if (/^(Arrow(Up|Down)|Page(Up|Down)|Home|End|Enter)$/.test(event.key)) {
      app.view.grid.focus();
      app.view.key(event);
    }
  } else if (event.key === 'Escape' && !typing) {
    if (app.view instanceof Tag) location.hash = '#/tags';
    else if (app.view instanceof Tags) location.hash = '#/';
  }
}

addEventListener('hashchange', moved);
addEventListener('keydown', globalKey);
show();
repeat(() => STATUS_MS, refresh);
