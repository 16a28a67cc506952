// SPDX-License-Identifier: MIT
// A plot of the last hour, as SVG.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';
const PLOT_SECONDS = 3600;
const PLOT_HEIGHT = 150;
const PLOT_MARGIN = { left: 54, right: 10, top: 8, bottom: 20 };

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

// The smallest of 1, 2 and 5 times a power of ten that is not below `value`.
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((bound) => bound >= value * 0.9999);
}

class Plot {
  // `format` writes a value. `draw()` shows points {ago, value}, the oldest first.
  constructor(title, format, formatShort = format) {
    this.title = title;
    this.format = format;
    this.formatShort = formatShort;
    this.points = [];
    this.current = document.createElement('span');
    this.current.className = 'plot-now';
    this.picture = svg('svg', { class: 'plot-picture', role: 'img', tabindex: 0, height: PLOT_HEIGHT });
    const heading = document.createElement('figcaption');
    heading.append(title, this.current);
    this.element = document.createElement('figure');
    this.element.className = 'plot';
    this.element.append(heading, this.picture);
    this.picture.addEventListener('pointermove', (event) => this.point(event.offsetX));
    this.picture.addEventListener('pointerleave', () => this.unpoint());
    this.picture.addEventListener('blur', () => this.unpoint());
    this.picture.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.render()).observe(this.element);
  }

  draw(points) {
    this.points = points.filter((point) => Number.isFinite(point.value) && point.ago <= PLOT_SECONDS + 15);
    this.render();
  }

  render() {
    this.width = this.element.clientWidth;
    if (this.width === 0) return;
    this.picture.replaceChildren();
    this.picture.setAttribute('viewBox', `0 0 ${this.width} ${PLOT_HEIGHT}`);
    const values = this.points.map((point) => point.value);
    this.highest = roundUp(values.reduce((a, b) => Math.max(a, b), 0));
    this.drawAxes();
    if (values.length === 0) {
      this.current.textContent = '';
      this.picture.setAttribute('aria-label', `${this.title}: ${t('plot_wait')}`);
      this.label(t('plot_wait'), this.width / 2 + 20, PLOT_HEIGHT / 2, 'middle');
      return;
    }
    this.drawLine();
    const now = this.format(values[values.length - 1]);
    this.current.textContent = now;
    this.picture.setAttribute('aria-label', t('plot_label', {
      title: this.title, now,
      min: this.format(values.reduce((a, b) => Math.min(a, b))),
      max: this.format(values.reduce((a, b) => Math.max(a, b))),
    }));
    if (this.pointed !== undefined) this.mark(this.pointed);
  }

  x(ago) {
    const inside = this.width - PLOT_MARGIN.left - PLOT_MARGIN.right;
    return PLOT_MARGIN.left + inside * (1 - Math.min(ago, PLOT_SECONDS) / PLOT_SECONDS);
  }

  y(value) {
    const inside = PLOT_HEIGHT - PLOT_MARGIN.top - PLOT_MARGIN.bottom;
    return PLOT_MARGIN.top + inside * (1 - value / this.highest);
  }

  label(text, x, y, anchor) {
    const label = svg('text', { x, y, 'text-anchor': anchor, class: 'plot-label' });
    label.textContent = text;
    this.picture.append(label);
  }

  drawAxes() {
    for (const value of [0, this.highest / 2, this.highest]) {
      const y = this.y(value);
      this.picture.append(svg('line', {
        x1: PLOT_MARGIN.left, x2: this.width - PLOT_MARGIN.right, y1: y, y2: y, class: 'plot-grid',
      }));
      this.label(this.formatShort(value), PLOT_MARGIN.left - 8, y + 4, 'end');
    }
    const minutes = this.width > 420 ? [60, 45, 30, 15] : [60, 30];
    for (const each of minutes) {
      this.label(t('minutes_ago', { n: each }), this.x(each * 60), PLOT_HEIGHT - 4, each === 60 ? 'start' : 'middle');
    }
    this.label(t('now'), this.width - PLOT_MARGIN.right, PLOT_HEIGHT - 4, 'end');
  }

  drawLine() {
    const path = this.points.map((point) => `${this.x(point.ago).toFixed(1)} ${this.y(point.value).toFixed(1)}`);
    const line = 'M' + path.join('L');
    const first = this.x(this.points[0].ago).toFixed(1);
    const last = this.x(this.points[this.points.length - 1].ago).toFixed(1);
    this.picture.append(svg('path', { class: 'plot-area', d: `${line}L${last} ${this.y(0)}L${first} ${this.y(0)}Z` }));
    this.picture.append(svg('path', { class: 'plot-line', d: line }));
    if (this.points.length === 1) this.drawDot(this.points[0]);  // a line of one point cannot be seen
  }

  drawDot(point) {
    this.picture.append(svg('circle', { cx: this.x(point.ago), cy: this.y(point.value), r: 3.5, class: 'plot-dot' }));
  }

  // --- reading one value, by the pointer or the arrow keys ---

  point(x) {
    if (this.points.length === 0) return;
    let nearest = 0;
    this.points.forEach((point, i) => {
      if (Math.abs(this.x(point.ago) - x) < Math.abs(this.x(this.points[nearest].ago) - x)) nearest = i;
    });
    this.pointed = nearest;
    this.render();
  }

  unpoint() {
    this.pointed = undefined;
    this.render();
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || this.points.length === 0) return;
    event.preventDefault();
    const from = this.pointed ?? this.points.length;
    this.pointed = Math.max(0, Math.min(this.points.length - 1, from + step));
    this.render();
  }

  mark(index) {
    const point = this.points[Math.min(index, this.points.length - 1)];
    const x = this.x(point.ago);
    this.picture.append(svg('line', {
      x1: x, x2: x, y1: PLOT_MARGIN.top, y2: PLOT_HEIGHT - PLOT_MARGIN.bottom, class: 'plot-cross',
    }));
    this.drawDot(point);
    const when = point.ago < 1 ? t('now') : t('ago', { time: duration(point.ago) });
    this.current.textContent = `${this.format(point.value)} · ${when}`;
  }
}
