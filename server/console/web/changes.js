// SPDX-License-Identifier: MIT
// The dialogs that change something.
'use strict';

// What the codes of the server's answers mean for somebody who wanted a change.
const PROBLEMS = { 1: 'refused_input', 3: 'refused_input', 2: 'failed_now', 4: 'refused_no_tag', 5: 'refused_client', 6: 'state_exhausted', 7: 'refused_state' };

// What is wrong with an answer, or nothing.
function problemOf(answer) {
  if (answer.status === 200) return '';
  if (answer.status === 0) return answer.message;
  if (answer.status === 404 && answer.code === 1) return t('no_such_call');
  return [t(PROBLEMS[answer.code] ?? 'failed_now'), detail(answer.message)];
}

// Whether the database has the tag. An answer of 404 would be an error in the browser's console.
async function tagExists(name) {
  const page = await read('tags', { prefix: name, limit: 1 });
  return page.status === 200 && page.data.tags.some((tag) => tag.biz_tag === name);
}

// Runs `work` once the client may change something.
function asAdmin(work) {
  if (app.status?.may_change) return work();
  return openTokenDialog(work);
}

function openTokenDialog(then) {
  openDialog({
    title: t('token_title'),
    note: t('token_note'),
    fields: [{ name: 'token', label: t('token'), type: 'password', value: token, required: true }],
    action: t('use_token'),
    extra: (close) => token && h('button', {
      type: 'button', class: 'quiet', onclick() {
        keepToken(null);
        close();
        refresh();
      },
    }, t('token_forget')),
    async submit(values) {
      const before = token;
      const wasClosed = app.closed;
      keepToken(null);
      if ((await read('status')).data?.may_change) return t('token_unneeded');
      keepToken(values.token.trim());
      const answer = await read('status');
      const accepted = answer.status === 200 && (answer.data.may_change || wasClosed);
      if (!accepted) keepToken(before);
      await refresh();
      if (!accepted) return answer.status === 0 ? answer.message : t('token_refused');
      toast(t('token_accepted'));
      if (then && answer.data.may_change) setTimeout(then);
      return '';
    },
  });
}

function openCreateDialog() {
  openDialog({
    title: t('new_tag'),
    fields: [
      { name: 'biz_tag', label: t('name'), hint: t('name_hint'), required: true },
      { name: 'step', label: t('step'), hint: t('step_hint'), value: '1000', required: true, numeric: true },
      { name: 'cap', label: t('cap'), hint: t('cap_hint'), value: 'none' },
      { name: 'order', label: t('order'), hint: t('order_hint'), value: 'plain', options: ['plain', 'strict'] },
      { name: 'format', label: t('format'), hint: t('format_hint') },
      { name: 'scramble', label: t('scramble'), hint: t('scramble_hint') },
      { name: 'owner', label: t('owner'), hint: t('optional') },
      { name: 'description', label: t('description'), hint: t('optional') },
    ],
    action: t('create'),
    async submit(values) {
      // The server accepts a tag that is as asked for, as if this call had made it.
      if (await tagExists(values.biz_tag)) return t('tag_exists');
      const given = Object.entries({ ...values, step: typed(values.step), cap: typed(values.cap) }).filter(([, value]) => value !== '');
      const answer = await call('tag', Object.fromEntries(given), 'POST');
      if (answer.status !== 200) return problemOf(answer);
      toast(sentence('done_created', named(values.biz_tag)));
      location.hash = tagAddress(values.biz_tag);
      return '';
    },
  });
}

function openChangeDialog(tag, done) {
  const before = {
    step: String(tag.step), cap: tag.cap === null ? 'none' : String(tag.cap), order: tag.order, owner: tag.owner,
    format: tag.format ?? '', scramble: tag.scramble ?? '', description: tag.description,
  };
  openDialog({
    title: sentence('change_title', named(tag.biz_tag)),
    fields: [
      { name: 'step', label: t('step'), hint: t('step_hint'), value: before.step, required: true, numeric: true },
      { name: 'cap', label: t('cap'), hint: t('cap_hint'), value: before.cap, required: true },
      { name: 'order', label: t('order'), hint: t('order_hint'), value: before.order, options: ['plain', 'strict'] },
      { name: 'format', label: t('format'), hint: t('format_hint'), value: before.format },
      { name: 'scramble', label: t('scramble'), hint: t('scramble_hint'), value: before.scramble },
      { name: 'owner', label: t('owner'), value: before.owner },
      { name: 'description', label: t('description'), value: before.description },
    ],
    action: t('save'),
    async submit(values) {
      const after = { ...values, step: typed(values.step), cap: typed(values.cap) };
      const changed = Object.entries(after).filter(([key, value]) => value !== before[key]);
      if (changed.length === 0) return t('nothing_changed');
      const answer = await call('tag', { biz_tag: tag.biz_tag, ...Object.fromEntries(changed) }, 'PATCH');
      if (answer.status !== 200) return problemOf(answer);
      toast(sentence('done_changed', named(tag.biz_tag)));
      done();
      return '';
    },
  });
}

function openAdvanceDialog(name, maxId, done) {
  openDialog({
    title: sentence('advance_title', named(name)),
    note: t('advance_note'),
    fields: [{
      name: 'max_id', label: t('advance_to'), hint: `${t('max_id')}: ${whole(maxId)}`, required: true, numeric: true,
    }],
    action: t('advance'),
    async submit(values) {
      const id = typed(values.max_id);
      const now = await read('tag', { biz_tag: name });
      const passed = now.status === 200 && /^\d+$/.test(id) && BigInt(now.data.max_id) >= BigInt(id);
      if (passed) return t('advance_passed', { max: whole(BigInt(now.data.max_id)) });
      const answer = await call('tag/advance', { biz_tag: name, max_id: id }, 'POST');
      if (answer.status !== 200) return problemOf(answer);
      toast(sentence('done_advanced', named(name), { id: whole(BigInt(id)) }));
      done();
      return '';
    },
  });
}

function openRemoveDialog(name, maxId) {
  openDialog({
    title: sentence('remove_title', named(name)),
    note: t('remove_note', { max: whole(maxId) }),
    fields: [{ name: 'confirm', label: t('remove_confirm'), required: true }],
    action: t('remove'),
    danger: true,
    async submit(values) {
      if (values.confirm !== name) return t('remove_differs');
      const answer = await call('tag', { biz_tag: name }, 'DELETE');
      if (answer.status !== 200) return problemOf(answer);
      toast(sentence('done_removed', named(name)));
      location.hash = '#/tags';
      return '';
    },
  });
}

function openLevelDialog() {
  openDialog({
    title: t('log_level'),
    note: t('level_note'),
    fields: [{ name: 'level', label: t('log_level'), value: app.status.log_level, options: ['debug', 'info', 'warn', 'error'] }],
    action: t('save'),
    async submit(values) {
      const answer = await call('log/level', values);
      if (answer.status !== 200) return problemOf(answer);
      toast(t('done_level', { level: answer.data }));
      refresh();
      return '';
    },
  });
}
