// SPDX-License-Identifier: MIT
// The dialogs that change something.
'use strict';

// What is wrong with an answer, or nothing.
function problemOf(answer) {
  if (answer.status === 200) return '';
  return answer.status === 404 && answer.code === 1 ? t('no_such_call') : answer.message;
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
      const given = Object.entries(values).filter(([, value]) => value !== '');
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
      const changed = Object.entries(values).filter(([key, value]) => value !== before[key]);
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
      const answer = await call('tag/advance', { biz_tag: name, max_id: values.max_id.trim() }, 'POST');
      if (answer.status !== 200) return problemOf(answer);
      toast(sentence('done_advanced', named(name), { id: values.max_id.trim() }));
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
