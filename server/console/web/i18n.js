// SPDX-License-Identifier: MIT
// The words of the console in its languages, and how it writes numbers, times and shares.
'use strict';

const LANGUAGES = ['en', 'zh'];

// Each in the order of LANGUAGES.
const TEXTS = {
  overview: ['Overview', '概览'],
  tags: ['Tags', '标签'],
  skip: ['Skip to the content', '跳到正文'],
  language: ['中文', 'English'],
  theme_auto: ['Colours: as the system', '配色：跟随系统'],
  theme_light: ['Colours: light', '配色：浅色'],
  theme_dark: ['Colours: dark', '配色：深色'],
  token: ['Token', '令牌'],
  token_set: ['Token set', '已设令牌'],
  ready: ['Ready', '就绪'],
  not_ready: ['Not ready', '未就绪'],
  store_down: ['Database down', '数据库不可用'],
  offline: ['No connection', '无连接'],
  loading: ['Loading…', '加载中…'],
  offline_banner: ['The server does not answer. The figures are from {time}.', '服务器没有响应。以下数据截至 {time}。'],
  closed_banner: ['This server shows its figures only with a token.', '此服务器只向持有令牌者显示数据。'],
  down_banner: ['The database does not serve. Ids last another {time}; {tag} runs out first.',
    '数据库不可用。ID 还能维持 {time}，{tag} 最先耗尽。'],
  down_out_banner: ['The database does not serve, and {tag} has no ids left.', '数据库不可用，{tag} 已没有可用的 ID。'],
  down_idle_banner: ['The database does not serve. No ids are being used, so none run out.',
    '数据库不可用。目前没有 ID 被使用，因此不会耗尽。'],
  not_ready_banner: ['The server is not ready.', '服务器未就绪。'],
  ids_per_second: ['Ids per second', '每秒 ID 数'],
  without_store: ['Without the database', '脱离数据库'],
  lasts_first: ['until {tag} runs out', '后 {tag} 耗尽'],
  lasts_idle: ['no ids are being used', '没有 ID 被使用'],
  tags_known: ['Tags in use', '使用中的标签'],
  tags_fine: ['all lease normally', '领取号段均正常'],
  tags_failing: ['{n} with an error', '{n} 个出错'],
  database: ['Database', '数据库'],
  up: ['Up', '正常'],
  down: ['Down', '不可用'],
  unknown: ['Unknown', '未知'],
  leader: ['Leader', '主库'],
  held_ids: ['Held ids', '内存中的 ID'],
  lease_latency: ['Lease latency', '领取号段延迟'],
  last_hour: ['Last hour', '最近一小时'],
  attention: ['Needs attention', '需要处理'],
  attention_none: ['No tag has an error or is near its end.', '没有标签出错或接近用尽。'],
  near_end: ['{share} of {end} ({id}) used', '已使用{end}（{id}）的 {share}'],
  its_cap: ['its cap', '上限'],
  ends_on: ['ends {date}', '{date}用尽'],
  and_more: ['and {n} more', '另有 {n} 个'],
  warnings: ['Recent warnings', '最近的警告'],
  warnings_none: ['Nothing since the start.', '启动以来没有警告。'],
  warnings_closed: ['Log lines require a token.', '查看日志需要令牌。'],
  server: ['Server', '服务器'],
  version: ['Version', '版本'],
  uptime: ['Running for', '已运行'],
  log_level: ['Log level', '日志级别'],
  change: ['Change', '修改'],
  search: ['Search tags, owners, descriptions', '搜索标签、负责人、描述'],
  count_tags: ['{n} tags', '{n} 个标签'],
  count_some: ['{n} of {all} tags', '{all} 个标签中的 {n} 个'],
  new_tag: ['New tag', '新建标签'],
  tag: ['Tag', '标签'],
  rate: ['Ids/s', '每秒 ID'],
  held: ['Held', '内存中'],
  waits: ['Waits', '等待'],
  errors: ['Errors', '错误'],
  cap: ['Cap', '上限'],
  order: ['Order', '次序'],
  ends: ['Ends', '用尽日期'],
  n_errors: ['{n} errors', '{n} 次错误'],
  sort_by: ['Sort by', '排序'],
  no_tags: ['There are no tags yet. Create the first one.', '还没有标签。请新建第一个。'],
  no_match: ['No tag matches “{text}”.', '没有与“{text}”匹配的标签。'],
  keys: ['↑ ↓ to move, Enter to open, / to search, Esc to go back', '↑ ↓ 移动，Enter 打开，/ 搜索，Esc 返回'],
  state_ok: ['Serving', '正常'],
  state_exhausted: ['No ids left', 'ID 已用尽'],
  state_stopped: ['Stopped', '已停用'],
  state_failing: ['Leases fail', '领取失败'],
  state_deleted: ['Deleted', '已删除'],
  state_unused: ['Not used by this server', '本服务器未使用'],
  no_tag: ['There is no tag {tag}.', '没有标签 {tag}。'],
  unused_note: ['This server has not used the tag since it started, so there is nothing to draw.',
    '本服务器启动以来没有使用过此标签，因此没有曲线。'],
  unsampled_note: ['No history: this server keeps the last hour of its first tags only (setting metrics-tags).',
    '没有历史曲线：本服务器只保留最先使用的若干标签的最近一小时（设置 metrics-tags）。'],
  advance: ['Advance', '推进'],
  remove: ['Delete', '删除'],
  back: ['All tags', '全部标签'],
  lasts: ['Lasts without the database', '脱离数据库可维持'],
  series_rate: ['Leased by all servers', '所有服务器的领取速度'],
  per_second: ['{n} ids/s', '每秒 {n} 个'],
  issued: ['Issued here', '本机已发出'],
  leases: ['Leases here', '本机领取次数'],
  leases_failed: ['{n}, {failed} failed', '{n} 次，{failed} 次失败'],
  max_id: ['Highest leased id', '已领取的最大 ID'],
  step: ['Step', '步长'],
  period: ['Begins at 1', '从 1 开始'],
  period_at: ['every {period}, UTC {offset} min', '每{period}，UTC {offset} 分钟'],
  period_day: ['day', '天'],
  period_month: ['month', '月'],
  period_year: ['year', '年'],
  floor: ['Time floor', '时间下限'],
  floor_at: ['{rate} ids/s, lead up to {max} s', '每秒 {rate} 个，最多超前 {max} 秒'],
  lead: ['Ahead of its floor', '超前下限'],
  lead_at: ['{n} s', '{n} 秒'],
  owner: ['Owner', '负责人'],
  description: ['Description', '描述'],
  created: ['Created', '创建'],
  changed: ['Changed', '修改'],
  by_at: ['{by}, {at}', '{by}，{at}'],
  used: ['Used', '已使用'],
  limit: ['Limit', '限度'],
  share: ['Share', '比例'],
  all_ids: ['2^63 (all ids)', '2^63（全部 ID）'],
  passed: ['passed', '已超过'],
  never: ['—', '—'],
  far: ['200+ years', '200 年以后'],
  plot_label: ['{title}, last hour: now {now}, lowest {min}, highest {max}',
    '{title}，最近一小时：当前 {now}，最低 {min}，最高 {max}'],
  plot_wait: ['The first sample comes within 10 seconds.', '第一个采样点将在 10 秒内出现。'],
  minutes_ago: ['−{n} min', '{n} 分钟前'],
  now: ['now', '现在'],
  ago: ['{time} ago', '{time}前'],
  name: ['Name', '名称'],
  name_hint: ['1 to 64 characters', '1 到 64 个字符'],
  step_hint: ['ids per lease when the tag is quiet', '空闲时每次领取的 ID 数'],
  format: ['Text format', '文本格式'],
  format_hint: ['such as INV-{id width=8}, for as=text; empty: in decimal', '如 INV-{id width=8}，用于 as=text；留空则为十进制'],
  scramble: ['Scramble', '打乱'],
  scramble_hint: ['such as 9digits, before as=text; empty: none', '如 9digits，先于 as=text；留空则不打乱'],
  order_hint: ['strict: each call waits for the database', 'strict：每次调用都要等待数据库'],
  cap_hint: ['none, int32, 2^53, 12digits or a number', 'none、int32、2^53、12digits 或一个数字'],
  optional: ['optional', '可选'],
  create: ['Create', '创建'],
  save: ['Save', '保存'],
  cancel: ['Cancel', '取消'],
  change_title: ['Change {tag}', '修改 {tag}'],
  advance_title: ['Advance {tag}', '推进 {tag}'],
  advance_note: ['No later lease contains an id up to and including this one. Ids that servers already hold are still issued.',
    '此后领取的号段不会包含小于等于此值的 ID。各服务器已持有的 ID 仍会发出。'],
  advance_to: ['Past id', '推进到'],
  advance_passed: ['The tag is already at {max}, so this would change nothing or move it back.',
    '标签已在 {max}，因此不会有任何变化，或者会后退。'],
  remove_title: ['Delete {tag}', '删除 {tag}'],
  remove_note: ['Servers stop issuing its ids within a minute. If the tag is created again, it continues after {max}.',
    '各服务器会在一分钟内停止发放其 ID。重新创建此标签时，将从 {max} 之后继续。'],
  remove_confirm: ['Type the name again', '再次输入名称'],
  remove_differs: ['This is not the name of the tag.', '与标签名称不一致。'],
  token_title: ['Token', '令牌'],
  token_note: ['Changes require an admin token, or a browser on the server’s own machine if no token is configured. The token stays in this browser tab.',
    '修改需要管理令牌；如果没有配置令牌，则只允许服务器本机的浏览器修改。令牌只保存在此标签页中。'],
  token_refused: ['The server refuses this token.', '服务器拒绝了此令牌。'],
  token_accepted: ['Token accepted', '令牌有效'],
  token_unneeded: ['No token is required here: the server has none configured, and this browser is on its machine.',
    '此处无需令牌：服务器没有配置令牌，而此浏览器就在服务器本机。'],
  token_forget: ['Forget', '清除'],
  use_token: ['Use it', '使用'],
  level_note: ['Until the server stops.', '直到服务器停止。'],
  done_created: ['{tag} was created', '已创建 {tag}'],
  done_changed: ['{tag} was changed', '已修改 {tag}'],
  done_advanced: ['{tag} was advanced past {id}', '已将 {tag} 推进到 {id}'],
  done_removed: ['{tag} was deleted', '已删除 {tag}'],
  done_level: ['The log level is {level}', '日志级别为 {level}'],
  nothing_changed: ['Nothing was changed.', '没有任何修改。'],
  no_answer: ['The server did not answer. The change may have been made; look before you try again.',
    '服务器没有响应。修改可能已经生效，请先确认再重试。'],
  tag_exists: ['This tag exists already.', '此标签已存在。'],
  refused_input: ['The server does not accept this.', '服务器不接受此输入。'],
  refused_no_tag: ['This tag does not exist.', '此标签不存在。'],
  refused_client: ['The server does not allow this change here.', '服务器不允许在此处修改。'],
  refused_state: ['The tag is not as this change expects.', '标签的当前状态与此修改不符。'],
  failed_now: ['The server could not do this now.', '服务器目前无法完成此操作。'],
  no_such_call: ['This server has no such call.', '此服务器没有这个接口。'],
  unit_s: ['{n} s', '{n} 秒'],
  unit_min: ['{n} min', '{n} 分钟'],
  unit_h: ['{n} h', '{n} 小时'],
  unit_d: ['{n} days', '{n} 天'],
  unit_y: ['{n} years', '{n} 年'],
};

// What stays when the page is opened again. A browser may refuse to keep anything.
const memory = {
  get(store, key) {
    try {
      return window[store].getItem('featherid-' + key);
    } catch {
      return null;
    }
  },
  set(store, key, value) {
    try {
      if (value === null) window[store].removeItem('featherid-' + key);
      else window[store].setItem('featherid-' + key, value);
    } catch {
      // for this page only
    }
  },
};

let language = memory.get('localStorage', 'language');
if (!LANGUAGES.includes(language)) {
  language = (navigator.languages || []).find((each) => /^(en|zh)/.test(each))?.slice(0, 2) || 'en';
}

// The text of a key, with each {name} replaced.
function t(key, values = {}) {
  const text = TEXTS[key][LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// --- numbers ---

const formats = new Map();
function formatter(kind, options) {
  const key = language + kind;
  if (!formats.has(key)) {
    const dated = kind.startsWith('date');
    const locale = language === 'zh' ? 'zh-CN' : dated ? 'en-GB' : 'en-US';
    formats.set(key, dated ? new Intl.DateTimeFormat(locale, options) : new Intl.NumberFormat(locale, options));
  }
  return formats.get(key);
}

// A whole number: a BigInt or a Number.
function whole(value) {
  return formatter('whole', { maximumFractionDigits: 0 }).format(value);
}

// A measured number: three digits or more.
function measured(value) {
  if (!Number.isFinite(value)) return '—';
  if (value >= 1e7) return formatter('compact', { notation: 'compact', maximumSignificantDigits: 3 }).format(value);
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return formatter('measured' + digits, { maximumFractionDigits: digits }).format(value);
}

// A value beside a plot, where there is little room.
function short(value) {
  return value < 1e5 ? measured(value) : formatter('short', { notation: 'compact', maximumSignificantDigits: 3 }).format(value);
}

function milliseconds(value) {
  return measured(value) + ' ms';
}

function percent(share) {
  if (share > 0 && share < 0.0001) return '<0.01\u00a0%';
  const digits = share >= 0.1 || share === 0 ? 1 : 2;
  return formatter('percent' + digits, { maximumFractionDigits: digits }).format(Math.floor(share * 1e4) / 100) + '\u00a0%';
}

function duration(seconds) {
  if (seconds < 99.5) return t('unit_s', { n: Math.floor(seconds) });
  if (seconds < 99.5 * 60) return t('unit_min', { n: Math.floor(seconds / 60) });
  if (seconds < 48 * 3600) return t('unit_h', { n: Math.floor(seconds / 3600) });
  if (seconds < 2 * 365 * 86400) return t('unit_d', { n: whole(Math.floor(seconds / 86400)) });
  return t('unit_y', { n: measured(Math.floor(seconds / (365.25 * 86400))) });
}

function date(time) {
  return formatter('date', { year: 'numeric', month: 'short', day: 'numeric' }).format(time);
}

// The time of day, and the date unless it is today's.
function lately(time) {
  if (new Date().toDateString() !== time.toDateString()) return dateTime(time);
  return formatter('dateLately', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(time);
}

function dateTime(time) {
  return formatter('dateTime', {
    year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).format(time);
}

// --- colours; here, because the page must not be drawn in the wrong ones first ---

const THEMES = ['auto', 'light', 'dark'];
let theme = memory.get('localStorage', 'theme');
if (!THEMES.includes(theme)) theme = 'auto';
function applyTheme() {
  document.documentElement.dataset.theme = theme;
}
applyTheme();
