// What a week's conversations were about.

import { $, el } from './dom.js';
import { api } from './api.js';

const percent = (part, of) => (of ? `${Math.round((100 * part) / of)}%` : '');

const row = (name, ...cells) => el('tr', {}, ...cells.map((cell) => el(name, {}, String(cell))));

function table(heads, rows) {
  return el('table', {}, el('thead', {}, row('th', ...heads)), el('tbody', {}, ...rows.map((cells) => row('td', ...cells))));
}

function filled(report) {
  const known = (t) => t.known || '机器人不会';
  return [
    el('p', {}, `会话 ${report.conversations}${report.cut ? '(抽样)' : ''} · 评价 ${report.rated} · 差评 ${report.poor}`),
    report.topics.length ? table(['问题', '会话', '解决率', '机器人', '客服的回答'], report.topics.map((t) => [t.question, t.conversations, percent(t.solved, t.conversations), known(t), t.answer || ''])) : el('p', { class: 'empty' }, '没有三位以上客户问过的问题。'),
    report.phrases.length ? table(['与差评一起出现的话', '会话', '差评'], report.phrases.map((p) => [p.text, p.conversations, p.poor])) : '',
    el('p', {}, el('a', { href: `/api/quality/weeks/${encodeURIComponent(report.name)}/faq.yaml`, download: `faq-${report.name}.yaml` }, '下载候选问答(faq.yaml)')),
  ];
}

// openWeeks shows the newest report, and lets others be chosen.
export async function openWeeks(attempt) {
  const answer = await attempt(() => api.weeks());
  if (!answer) return;
  const body = el('div', { class: 'report' });
  const show = async (name) => {
    const report = name && await attempt(() => api.week(name));
    body.replaceChildren(...(report ? filled(report).filter(Boolean) : [el('p', { class: 'empty' }, '还没有周报。每周一 05:00 统计上一周。')]));
  };
  const choice = el('select', { 'aria-label': '周', onchange: () => show(choice.value) }, ...answer.weeks.map((w) => el('option', { value: w.name }, w.name)));
  // A report of more weeks is named after the last of them.
  const count = async () => {
    const asked = await attempt(() => api.quarter(choice.value.replace(/-[0-9]+w$/, '')));
    if (asked) body.prepend(el('p', {}, `正在统计 ${asked.name}(到该周为止的 13 周),稍后重新打开周报即可选择。`));
  };
  const quarter = el('button', { class: 'quiet', type: 'button', onclick: count }, '统计近 13 周');
  $('week').replaceChildren(el('form', { method: 'dialog', class: 'head' }, el('h2', {}, '周报'), ...(answer.weeks.length ? [choice, quarter] : []), el('button', { class: 'quiet' }, '关闭')), body);
  $('week').showModal();
  await show(choice.value);
}
