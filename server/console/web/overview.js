// SPDX-License-Identifier: MIT
// The server at a glance.
'use strict';

function tile(label) {
  const value = h('dd', {}, '—');
  const note = h('p', {});
  return { value, note, element: h('dl', { class: 'tile' }, h('dt', {}, label), value, note) };
}

// The points of a plot: the samples, and what is measured now.
function pointsOf(samples, values, now) {
  const points = values.map((value, i) => ({ ago: samples.seconds_ago[i], value }));
  points.push({ ago: 0, value: now });
  return points;
}

function tagLink(name) {
  return h('a', { href: tagAddress(name) }, named(name));
}

class Overview {
  constructor() {
    this.rate = tile(t('ids_per_second'));
    this.lasts = tile(t('without_store'));
    this.count = tile(t('tags_known'));
    this.store = tile(t('database'));
    this.plot = new Plot(t('ids_per_second'), measured, short);
    this.held = new Plot(t('held_ids'), measured, short);
    this.lease = new Plot(t('lease_latency'), milliseconds);
    this.attention = h('div', {});
    this.warnings = h('div', {});
    this.facts = h('dl', { class: 'facts' });
    this.element = h('div', {},
      h('h1', { class: 'unseen' }, t('overview')),
      h('div', { class: 'tiles' }, [this.rate, this.lasts, this.count, this.store].map((each) => each.element)),
      h('div', { class: 'columns overview' },
        h('section', { class: 'panel', 'aria-label': t('last_hour') }, [this.plot, this.held, this.lease].map((each) => each.element)),
        h('div', {},
          h('section', { class: 'panel' }, h('h2', {}, t('attention')), this.attention),
          h('section', { class: 'panel' }, h('h2', {}, t('warnings')), this.warnings),
          h('section', { class: 'panel' }, h('h2', {}, t('server')), this.facts))));
    if (app.status) this.update(app.status);
  }

  update(status) {
    this.rate.value.textContent = measured(status.ids_per_second);
    this.rate.note.textContent = t('held_ids') + ': ' + whole(BigInt(status.held));
    const seconds = status.survivable_seconds;
    this.lasts.value.textContent = seconds === null ? '∞' : duration(seconds);
    this.lasts.note.replaceChildren(...(seconds === null ? [t('lasts_idle')] : sentence('lasts_first', tagLink(status.worst_tag))));
    this.count.value.textContent = whole(status.tags);
    this.count.note.textContent = status.failing === 0 ? t('tags_fine') : t('tags_failing', { n: whole(status.failing) });
    this.count.note.className = status.failing === 0 ? '' : 'bad';
    const up = status.store.up;
    this.store.value.textContent = t(up === null ? 'unknown' : up ? 'up' : 'down');
    this.store.value.className = up === false ? 'bad' : '';
    this.store.note.textContent = status.store.address;
    this.store.note.title = status.store.address;
    const { samples } = status;
    this.plot.draw(pointsOf(samples, samples.ids_per_second, status.ids_per_second));
    this.held.draw(pointsOf(samples, samples.held, Number(status.held)));
    this.lease.draw(samples.lease_ms.map((value, i) => ({ ago: samples.seconds_ago[i], value })));
    this.updateSide(status);
  }

  // Only what has changed, so that a selection or a position in the list stays.
  updateSide(status) {
    const attention = JSON.stringify([status.failing, status.failing_tags, status.ending, status.ending_tags]);
    if (attention !== this.attended) {
      this.attended = attention;
      this.attention.replaceChildren(...this.attentionOf(status));
    }
    const warnings = JSON.stringify([status.may_change, status.warnings]);
    if (warnings !== this.warned) {
      this.warned = warnings;
      this.warnings.replaceChildren(status.warnings.length === 0
        ? h('p', { class: 'muted' }, t(status.may_change ? 'warnings_none' : 'warnings_closed'))
        : h('ul', { class: 'lines', tabindex: 0, 'aria-label': t('warnings') }, status.warnings.slice().reverse().map((line) => h('li', {},
          h('time', { class: 'muted', datetime: line.at, title: line.at }, lately(new Date(line.at))),
          h('span', { class: line.level === 'error' ? 'bad' : 'warn' }, line.level),
          h('span', { class: 'text' }, line.text)))));
    }
    const facts = [
      [t('version'), status.version], [t('uptime'), duration(status.uptime_seconds)],
      status.store.leader && [t('leader'), status.store.leader],
      [t('log_level'), status.log_level, ' ', h('button', { class: 'link', type: 'button', onclick: () => asAdmin(openLevelDialog) }, t('change'))],
    ].filter(Boolean);
    const shown = JSON.stringify(facts.map((fact) => fact.slice(0, 2)));
    if (shown === this.shown) return;
    this.shown = shown;
    this.facts.replaceChildren(...facts.flatMap(([label, ...value]) => [h('dt', {}, label), h('dd', {}, value)]));
  }

  // What is wrong with tags, and which ones end soon.
  attentionOf(status) {
    const lines = [
      ...status.failing_tags.map((tag) => [tag.biz_tag, t(`state_${tag.state}`), detail(tag.error)]),
      ...status.ending_tags.map((tag) => [tag.biz_tag, t('near_end', {
        share: percent(tag.share), end: tag.end === 'cap' ? t('its_cap') : tag.end, id: whole(BigInt(tag.last_id)),
      }), tag.ends_at && h('small', { class: 'detail' }, t('ends_on', { date: date(new Date(tag.ends_at)) }))]),
    ];
    if (lines.length === 0) return [h('p', { class: 'muted' }, t('attention_none'))];
    const more = status.failing + status.ending - lines.length;
    return [
      h('ul', { class: 'lines two' }, lines.map(([name, ...text]) => h('li', {}, tagLink(name), h('span', { class: 'text' }, text)))),
      ...(more > 0 ? [h('p', { class: 'muted' }, t('and_more', { n: whole(more) }))] : []),
    ];
  }

  close() {}
}
