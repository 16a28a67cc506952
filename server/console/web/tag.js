// SPDX-License-Identifier: MIT
// One tag.
'use strict';

class Tag {
  constructor(name) {
    this.name = name;
    this.rate = new Plot(t('ids_per_second'), measured, short);
    this.held = new Plot(t('held_ids'), measured, short);
    this.lease = new Plot(t('lease_latency'), milliseconds);
    this.badge = h('span', { class: 'badge', role: 'status' });
    this.error = h('p', { class: 'panel message', role: 'alert', hidden: true });
    this.facts = h('dl', { class: 'facts' });
    this.limits = h('tbody', {});
    this.plots = h('section', { class: 'panel', 'aria-label': t('last_hour') }, [this.rate, this.held, this.lease].map((each) => each.element));
    this.note = h('p', { class: 'panel muted', hidden: true });
    const action = (key, open, kind) => h('button', { type: 'button', class: kind, onclick: () => asAdmin(() => this.info && open()) }, t(key));
    this.actions = h('div', { class: 'actions' },
      action('change', () => openChangeDialog(this.info, () => this.loadInfo())),
      action('advance', () => openAdvanceDialog(name, this.maxId(), () => this.loadInfo())),
      action('remove', () => openRemoveDialog(name, this.maxId()), 'danger'));
    this.columns = h('div', { class: 'columns tag' },
      h('div', {}, this.note, this.plots),
      h('div', {},
        h('section', { class: 'panel' }, h('h2', {}, t('used')), h('table', { class: 'limits' },
          h('thead', {}, h('tr', {}, [t('limit'), '', t('share'), t('ends')].map((each) => h('th', { scope: 'col' }, each)))), this.limits)),
        h('section', { class: 'panel', 'aria-label': t('tag') }, this.facts)));
    this.element = h('div', {},
      h('p', { class: 'crumb' }, h('a', { href: '#/tags' }, '← ' + t('back'))),
      h('div', { class: 'tag-head' }, h('h1', {}, named(name)), this.badge, this.actions),
      this.error,
      this.columns);
    this.stops = [repeat(() => 2000, () => this.loadUse()), repeat(() => 20000, () => this.loadInfo())];
  }

  close() {
    this.stops.forEach((stop) => stop());
  }

  update() {}

  // The highest leased id, as far as the database and this server have said.
  maxId() {
    const ids = [this.info?.max_id, this.used?.max_id].filter((id) => id !== undefined).map(BigInt);
    return ids.reduce((a, b) => (a > b ? a : b));
  }

  async loadUse() {
    const answer = await read('status/tag', { biz_tag: this.name });
    if (answer.status !== 200) return;
    this.used = answer.data.tag;
    this.note.hidden = answer.data.samples !== null;
    this.plots.hidden = !this.note.hidden;
    this.note.textContent = this.used ? t('unsampled_note') : t('unused_note');
    if (this.used && answer.data.samples) this.drawPlots(answer.data.samples);
    this.show();
  }

  async loadInfo() {
    const answer = await read('tag', { biz_tag: this.name });
    if (answer.status === 200) this.info = answer.data;
    this.missing = answer.status === 404 && answer.code === 4;
    this.show();
  }

  drawPlots(samples) {
    this.rate.draw(pointsOf(samples, samples.ids_per_second, this.used.ids_per_second));
    this.held.draw(pointsOf(samples, samples.held, Number(this.used.held)));
    this.lease.draw(pointsOf(samples, samples.lease_ms, this.used.lease_ms));
  }

  show() {
    const state = this.used?.state ?? 'unused';
    this.badge.className = `badge ${state}`;
    this.badge.textContent = t(`state_${state}`);
    const error = this.missing ? sentence('no_tag', named(this.name)) : this.used?.error ? [t(`state_${state}`), detail(this.used.error)] : [];
    this.error.hidden = error.length === 0;
    if (this.error.textContent !== error.map((each) => each.textContent ?? each).join('')) this.error.replaceChildren(...error);
    this.columns.hidden = this.badge.hidden = this.missing && !this.used;
    this.actions.hidden = !this.info || this.missing;
    if (!this.info && !this.used) return;
    const { cap } = this.info ?? this.used;
    this.showLimits(this.maxId(), cap === null ? null : BigInt(cap));
    this.showFacts(this.info ?? {});
  }

  showLimits(maxId, cap) {
    const limits = [['int32', INT32_MAX], ['2^53', DOUBLE_MAX], [t('all_ids'), ID_MAX]];
    if (cap !== null) limits.unshift([[t('cap'), h('small', { class: 'muted' }, whole(cap))], cap]);
    this.limits.replaceChildren(...limits.map(([label, limit]) => {
      const share = shareOf(maxId, limit);
      const passed = maxId > limit;
      const fill = h('i', { class: share >= 0.9 ? 'bad' : share >= 0.5 ? 'warn' : '' });
      fill.style.transform = `scaleX(${Math.min(1, share)})`;
      return h('tr', {}, h('td', {}, label), h('td', { class: 'meter' }, h('span', { 'aria-hidden': true }, fill)),
        h('td', {}, passed ? t('passed') : percent(share)), h('td', { class: 'muted' }, passed ? '—' : this.endOf(maxId, limit)));
    }));
  }

  endOf(maxId, limit) {
    const rate = this.used?.series_ids_per_second;
    if (!rate) return t('never');
    const seconds = Number(limit - maxId) / rate;
    return seconds > 200 * 365 * 86400 ? t('far') : date(new Date(Date.now() + seconds * 1000));
  }

  showFacts(info) {
    const { used } = this;
    const at = (by, time) => (time ? t('by_at', { by: by || '?', at: dateTime(new Date(time)) }) : null);
    const facts = [
      [t('description'), info.description], [t('owner'), info.owner],
      [t('format'), info.format], [t('scramble'), info.scramble],
      [t('max_id'), whole(this.maxId())],
      info.step !== undefined && [t('step'), whole(info.step)],
      info.period && [t('period'), t('period_at', { period: t(`period_${info.period}`), offset: (info.period_offset < 0 ? '' : '+') + info.period_offset })],
      info.order === 'strict' && [t('order'), info.order],
      used && [t('lasts'), used.survivable_seconds === null ? '∞' : duration(used.survivable_seconds)],
      used && used.series_ids_per_second > 0 && [t('series_rate'), t('per_second', { n: measured(used.series_ids_per_second) })],
      used && [t('issued'), whole(BigInt(used.issued))],
      used && [t('leases'), used.lease_failures > 0
        ? t('leases_failed', { n: whole(used.leases), failed: whole(used.lease_failures) }) : whole(used.leases)],
      used && [t('waits'), whole(used.waits)],
      info.floor && [t('floor'), t('floor_at', { rate: whole(info.floor.rate), max: info.floor.lead_max })],
      info.floor && info.floor.lead_seconds !== null && [t('lead'), t('lead_at', { n: measured(info.floor.lead_seconds) })],
      [t('created'), at(info.created_by, info.created_at)], [t('changed'), at(info.changed_by, info.changed_at)],
    ].filter((fact) => fact && fact[1]);
    const shown = JSON.stringify(facts);
    if (shown === this.shown) return;
    this.shown = shown;
    this.facts.replaceChildren(...facts.flatMap(([label, value]) => [h('dt', {}, label), h('dd', { class: 'name' }, value)]));
  }
}
