// SPDX-License-Identifier: MIT
// The table of all tags. Only the rows that can be seen exist as elements.
'use strict';

const INT32_MAX = 2147483647n;
const DOUBLE_MAX = 2n ** 53n;
const ID_MAX = 2n ** 63n - 2n;
const ROWS_AROUND = 6;  // drawn above and below what can be seen

function shareOf(maxId, limit) {
  return limit === null ? null : Number(maxId) / Number(limit);
}

// One row of the table, of what this server does with the tag and what the database has.
function rowOf(name, used, listed) {
  const maxId = BigInt((used ?? listed).max_id);
  const cap = (used ?? listed).cap;
  const limit = cap === null ? null : BigInt(cap);
  return {
    name,
    searched: `${name}\n${listed?.owner ?? ''}\n${listed?.description ?? ''}`.toLowerCase(),
    state: used ? used.state : 'unused',
    rate: used ? used.ids_per_second : null,
    held: used ? Number(used.held) : null,
    waits: used ? used.waits : null,
    errors: used ? used.lease_failures : null,
    int32: maxId > INT32_MAX ? null : shareOf(maxId, INT32_MAX),
    double: maxId > DOUBLE_MAX ? null : shareOf(maxId, DOUBLE_MAX),
    all: shareOf(maxId, ID_MAX),
    cap: shareOf(maxId, limit),
    ends: used?.ends_at ? Date.parse(used.ends_at) : null,
  };
}

const orDash = (write) => (value) => (value === null ? '—' : write(value));
const orPassed = (value) => (value === null ? t('passed') : percent(value));

// `kind` says in which windows a column is left out.
const COLUMNS = [
  { key: 'name', label: () => t('tag'), kind: '' },
  { key: 'rate', label: () => t('rate'), write: orDash(measured), kind: '' },
  { key: 'held', label: () => t('held'), write: orDash(measured), kind: '' },
  { key: 'waits', label: () => t('waits'), write: orDash(whole), kind: 'minor' },
  { key: 'errors', label: () => t('errors'), write: orDash(whole), kind: 'middle' },
  { key: 'int32', label: () => 'int32', write: orPassed, kind: 'minor' },
  { key: 'double', label: () => '2^53', write: orPassed, kind: 'middle' },
  { key: 'all', label: () => '2^63', write: orDash(percent), kind: 'minor' },
  { key: 'cap', label: () => t('cap'), write: orDash(percent), kind: 'middle' },
  { key: 'ends', label: () => t('ends'), write: orDash(date), kind: 'middle' },
];

// What a phone shows of a row below its name, because the columns have no room there.
function summaryOf(row) {
  const nearest = ['int32', 'double', 'all'].find((key) => row[key] !== null);
  return [row.cap === null ? null : 'cap', nearest]
    .filter(Boolean)
    .map((key) => `${COLUMNS.find((column) => column.key === key).label()} ${percent(row[key])}`)
    .concat(row.ends === null ? [] : t('ends_on', { date: date(row.ends) }), row.errors > 0 ? t('n_errors', { n: whole(row.errors) }) : [])
    .join(' · ');
}

// How the table was left.
const tableState = { text: '', key: 'name', descending: false, active: null, top: 0 };
let lastListed = null;

class Tags {
  constructor() {
    this.rows = null;
    this.shown = [];
    this.pool = [];
    this.build();
    this.stops = [
      repeat(() => (this.rows?.length > 2000 ? 10000 : 3000), () => this.loadUsed()),
      repeat(() => 60000, () => this.loadListed()),
    ];
  }

  build() {
    this.input = h('input', {
      type: 'search', placeholder: t('search'), 'aria-label': t('search'), value: tableState.text, autocomplete: 'off', spellcheck: 'false',
      oninput: () => this.search(), onkeydown: (event) => this.searchKey(event),
    });
    this.count = h('span', { class: 'muted', role: 'status' });
    this.heads = COLUMNS.map((column) => h('div', { role: 'columnheader', class: column.kind },
      h('button', { type: 'button', onclick: () => this.sortBy(column.key) }, column.label())));
    this.sorts = h('select', { class: 'sorts', 'aria-label': t('sort_by'), onchange: () => this.sortBy(this.sorts.value) },
      COLUMNS.map((column) => h('option', { value: column.key }, column.label())));
    this.space = h('div', { class: 'grid-space', role: 'presentation' });
    this.body = h('div', { class: 'grid-body', role: 'rowgroup', tabindex: -1, onscroll: () => this.scrolled() }, this.space);
    this.grid = h('div', {
      class: 'panel grid', role: 'grid', tabindex: 0, 'aria-label': t('tags'), 'aria-colcount': COLUMNS.length,
      onkeydown: (event) => this.key(event),
    }, h('div', { class: 'grid-row grid-head', role: 'row', 'aria-rowindex': 1 }, this.heads), this.body);
    this.note = h('div', { class: 'empty' }, t('loading'));
    this.element = h('div', {},
      h('div', { class: 'bar' }, h('h1', {}, t('tags')), this.count,
        h('div', { class: 'search' }, this.input, h('kbd', { 'aria-hidden': true }, '/')),
        this.sorts,
        h('button', { class: 'primary', type: 'button', onclick: () => asAdmin(openCreateDialog) }, t('new_tag'))),
      this.grid, this.note, h('p', { class: 'keys' }, t('keys')));
    this.grid.hidden = true;
    this.resized = new ResizeObserver(() => this.render());
    this.resized.observe(this.body);
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.resized.disconnect();
    tableState.top = this.body.scrollTop;
  }

  update() {}

  async loadUsed() {
    const answer = await read('status/tags');
    if (answer.status !== 200) return;
    this.used = new Map(answer.data.map((tag) => [tag.biz_tag, tag]));
    this.merge();
  }

  async loadListed() {
    lastListed = (await listTags()) ?? lastListed;
    if (this.used) this.merge();
  }

  merge() {
    const first = this.rows === null;
    const listed = lastListed ?? new Map();
    this.rows = [...this.used].map(([name, used]) => rowOf(name, used, listed.get(name)));
    for (const [name, tag] of listed) {
      if (!this.used.has(name)) this.rows.push(rowOf(name, null, tag));
    }
    this.arrange();
    if (first) this.body.scrollTop = tableState.top;
  }

  // --- searching and sorting ---

  search() {
    tableState.text = this.input.value;
    this.body.scrollTop = 0;
    tableState.active = null;
    this.arrange();
  }

  sortBy(key) {
    const again = tableState.key === key;
    tableState.descending = again ? !tableState.descending : !['name', 'ends'].includes(key);
    tableState.key = key;
    this.body.scrollTop = 0;
    this.arrange();
  }

  arrange() {
    if (this.rows === null) return;
    const text = tableState.text.trim().toLowerCase();
    const { key } = tableState;
    const sign = tableState.descending ? -1 : 1;
    const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    this.shown = text === '' ? this.rows.slice() : this.rows.filter((row) => row.searched.includes(text));
    this.shown.sort((a, b) => {
      if (key === 'name') return sign * byName(a, b);
      if (a[key] === null || b[key] === null) return (a[key] === null) - (b[key] === null) || byName(a, b);
      return sign * (a[key] - b[key]) || byName(a, b);
    });
    this.heads.forEach((head, i) => {
      const sorted = COLUMNS[i].key === key;
      head.setAttribute('aria-sort', sorted ? (tableState.descending ? 'descending' : 'ascending') : 'none');
    });
    this.sorts.value = key;
    this.describe(text);
    this.render();
  }

  describe(text) {
    const all = whole(this.rows.length);
    this.count.textContent = text === '' ? t('count_tags', { n: all }) : t('count_some', { n: whole(this.shown.length), all });
    this.grid.hidden = this.shown.length === 0;
    this.note.hidden = this.shown.length > 0;
    this.note.textContent = this.rows.length === 0 ? t('no_tags') : t('no_match', { text: tableState.text });
    this.grid.setAttribute('aria-rowcount', String(this.shown.length + 1));
  }

  // --- drawing ---

  scrolled() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.render();
    });
  }

  rowHeight() {
    return matchMedia('(max-width: 640px)').matches ? 60 : 36;
  }

  render() {
    const height = this.rowHeight();
    this.space.style.height = `${this.shown.length * height}px`;
    const first = Math.max(0, Math.floor(this.body.scrollTop / height) - ROWS_AROUND);
    const end = Math.min(this.shown.length, first + Math.ceil(this.body.clientHeight / height) + 2 * ROWS_AROUND);
    while (this.pool.length < end - first) this.pool.push(this.makeRow());
    // A row keeps its element while it is in view, so scrolling writes only the rows that come in.
    const size = Math.max(1, this.pool.length);
    this.pool.forEach((each, i) => {
      const index = first + ((((i - first) % size) + size) % size);
      const used = index < end;
      each.element.hidden = !used;
      if (used) this.fill(each, index, index * height);
    });
    const active = this.activeIndex();
    const visible = active >= first && active < end;
    if (visible) this.grid.setAttribute('aria-activedescendant', `row-${active % size}`);
    else this.grid.removeAttribute('aria-activedescendant');
  }

  makeRow() {
    const link = h('a', { tabindex: -1 });
    const name = h('bdi', { class: 'name' });
    link.append(name);
    const mark = h('span', { class: 'mark' });
    const cells = COLUMNS.slice(1).map((column) => h('span', { role: 'gridcell', class: column.kind }));
    const summary = h('span', { role: 'gridcell', class: 'summary' });
    const row = { link, name, mark, cells, summary, index: -1 };
    row.element = h('div', {
      class: 'grid-row', role: 'row', id: `row-${this.pool.length}`,
      onclick: (event) => {
        if (event.target.closest('a') === null) this.open(row.index);
      },
    }, h('span', { role: 'gridcell' }, mark, link), cells, summary);
    this.space.append(row.element);
    return row;
  }

  fill(each, index, top) {
    const row = this.shown[index];
    if (each.index !== index) {
      each.index = index;
      each.element.style.transform = `translateY(${top}px)`;
      each.element.setAttribute('aria-rowindex', String(index + 2));
    }
    each.element.classList.toggle('active', row.name === tableState.active);
    each.element.setAttribute('aria-selected', String(row.name === tableState.active));
    if (each.row === row && each.language === language) return;
    each.row = row;
    each.language = language;
    each.name.textContent = row.name;
    each.link.href = tagAddress(row.name);
    each.link.title = row.name;
    each.mark.className = `mark ${row.state}`;
    each.mark.title = t(`state_${row.state}`);
    COLUMNS.slice(1).forEach((column, i) => {
      each.cells[i].textContent = column.write(row[column.key]);
    });
    const worst = Math.max(row.int32, row.double, row.all, row.cap);  // null counts as 0
    each.summary.textContent = summaryOf(row);
    each.summary.classList.toggle('bad', worst >= 0.9);
    each.summary.classList.toggle('warn', worst >= 0.5 && worst < 0.9);
    each.cells[3].classList.toggle('bad', row.errors > 0);
    COLUMNS.slice(1).forEach(({ key }, i) => {
      if (!['int32', 'double', 'all', 'cap'].includes(key)) return;
      each.cells[i].classList.toggle('bad', row[key] >= 0.9);
      each.cells[i].classList.toggle('warn', row[key] >= 0.5 && row[key] < 0.9);
    });
  }

  // --- the keyboard ---

  activeIndex() {
    return tableState.active === null ? -1 : this.shown.findIndex((row) => row.name === tableState.active);
  }

  open(index) {
    const row = this.shown[index];
    if (!row) return;
    tableState.active = row.name;
    location.hash = tagAddress(row.name);
  }

  moveTo(index) {
    const height = this.rowHeight();
    const at = Math.max(0, Math.min(this.shown.length - 1, index));
    tableState.active = this.shown[at]?.name ?? null;
    const top = at * height;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    const bottom = top + height - this.body.clientHeight;
    if (bottom > this.body.scrollTop) this.body.scrollTop = bottom;
    this.render();
  }

  key(event) {
    if (event.target.tagName === 'BUTTON') return;
    const page = Math.max(1, Math.floor(this.body.clientHeight / this.rowHeight()) - 1);
    const at = this.activeIndex();
    const to = {
      ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), PageDown: at + page, PageUp: Math.max(0, at - page), Home: 0, End: this.shown.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.moveTo(to);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.open(at < 0 ? 0 : at);
    }
  }

  searchKey(event) {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.grid.focus();
      this.moveTo(Math.max(0, this.activeIndex()));
    } else if (event.key === 'Enter') {
      this.open(Math.max(0, this.activeIndex()));
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      this.input.value = '';
      this.search();
      this.grid.focus();
    }
  }
}
