// SPDX-License-Identifier: MIT
// The calls of the server.
'use strict';

const CALL_MS = 10000;
let token = memory.get('sessionStorage', 'token');

function keepToken(value) {
  token = value;
  memory.set('sessionStorage', 'token', value);
}

// {status, code, message, data}. Status 0: no answer. Ids come as text, because numbers lose digits above 2^53.
async function call(path, parameters = {}, method = 'GET') {
  const query = new URLSearchParams(parameters).toString();
  const url = '/api/v1/' + path + (query === '' ? '' : '?' + query);
  const headers = token ? { Authorization: 'Bearer ' + token } : {};
  try {
    const answer = await fetch(url, { method, headers, cache: 'no-store', signal: AbortSignal.timeout(CALL_MS) });
    const { code, msg, data } = await answer.json();
    return { status: answer.status, code, message: msg, data };
  } catch {
    return { status: 0, code: -1, message: t('no_answer'), data: null };
  }
}

const read = (path, parameters = {}) => call(path, { ...parameters, as: 'string' });

// All tags of the database, by name; null if they cannot be had.
async function listTags() {
  const tags = new Map();
  for (let after = ''; after !== null;) {
    const page = await read('tags', after === '' ? { limit: 1000 } : { limit: 1000, after });
    if (page.status !== 200) return null;
    for (const tag of page.data.tags) tags.set(tag.biz_tag, tag);
    after = page.data.next;
  }
  return tags;
}

// Calls `work` now, and again `pause()` ms after it has ended, while somebody looks at the page.
function repeat(pause, work) {
  let timer;
  let stopped = false;
  const run = async () => {
    if (!document.hidden) await work();
    if (!stopped) timer = setTimeout(run, pause());
  };
  run();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
