// SPDX-License-Identifier: MIT
// Elements, messages and dialogs. Texts only ever become text nodes, so no tag's name can become markup.
'use strict';

// An element. `on…` attributes are listeners; true is an attribute without a value; null and false are none.
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// A name that somebody chose. Its direction of writing does not spread to what stands beside it.
function named(name) {
  return h('bdi', { class: 'name' }, name);
}

// A text of TEXTS in which {tag} is replaced by an element.
function sentence(key, tagElement, values = {}) {
  const parts = t(key, values).split('{tag}');
  return parts.flatMap((part, i) => (i + 1 < parts.length ? [part, tagElement] : [part]));
}

const ICONS = {
  lock: 'M5 7V5a3 3 0 0 1 6 0v2m-7 0h8v6H4z',
  unlock: 'M5 7V5a3 3 0 0 1 5.500-1.700M4 7h8v6H4z',
  auto: 'M8 2a6 6 0 1 0 .01 0M8 2v12M5.500 3.500v9M3.500 5v6',
  light: 'M8 5.500a2.500 2.500 0 1 0 .01 0M8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1',
  dark: 'M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z',
};
function icon(name) {
  const picture = svg('svg', { viewBox: '0 0 16 16', width: 17, height: 17, 'aria-hidden': true });
  picture.append(svg('path', {
    d: ICONS[name], fill: 'none', stroke: 'currentColor', 'stroke-width': 1.4,
    'stroke-linecap': 'round', 'stroke-linejoin': 'round',
  }));
  return picture;
}

let toastTimer;
function toast(...content) {
  const element = document.getElementById('toast');
  element.replaceChildren(...content.flat());
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.replaceChildren(), 5000);
}

function field(spec) {
  const control = spec.options
    ? h('select', { name: spec.name }, spec.options.map((each) => h('option', { value: each, selected: each === spec.value }, each)))
    : h('input', {
      name: spec.name, value: spec.value, type: spec.type || 'text', required: spec.required, autocomplete: 'off',
      spellcheck: 'false', autocapitalize: 'off', inputmode: spec.numeric ? 'numeric' : null,
    });
  return h('label', {}, spec.label, control, spec.hint ? h('small', {}, spec.hint) : null);
}

// What the server says, in English, beside a sentence in the page's language.
function detail(text) {
  return h('small', { class: 'detail', lang: 'en' }, text);
}

// What somebody typed, without blanks around it and without the commas or blanks between groups of three digits.
function typed(text) {
  const value = text.trim();
  return /^\d{1,3}([,\s]\d{3})+$/.test(value) ? value.replace(/[,\s]/g, '') : value;
}

// Asks for values. `submit` gets them by name, and returns what is wrong (a text or nodes), or nothing to close the
// dialog.
function openDialog({ title, note, fields, action, danger, extra, submit }) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const confirm = h('button', { class: danger ? 'primary danger' : 'primary', type: 'submit' }, action);
  const close = () => dialog.close();
  const form = h('form', {
    async onsubmit(event) {
      event.preventDefault();
      confirm.disabled = true;
      problem.replaceChildren();
      const wrong = await submit(Object.fromEntries(new FormData(form)));
      confirm.disabled = false;
      if (!wrong) return close();
      problem.replaceChildren(...[wrong].flat());
      form.querySelector('input, select')?.focus();
    },
  },
  h('h2', {}, title), note ? h('p', { class: 'muted' }, note) : null, fields.map(field), problem,
  h('div', { class: 'buttons' }, extra ? extra(close) : null,
    h('button', { type: 'button', onclick: close }, t('cancel')), confirm));
  const dialog = h('dialog', { onclose: () => dialog.remove() }, form);
  form.querySelector('h2').id = 'dialog-title';
  dialog.setAttribute('aria-labelledby', 'dialog-title');
  document.body.append(dialog);
  dialog.showModal();
  form.querySelector('input, select')?.focus();
}
