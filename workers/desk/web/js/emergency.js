// Emergencies: the strip that everybody sees while one lasts, and what its case says of it.

import { $, clock, el, span } from './dom.js';

// showEmergencies fills the strip. It is built anew only when something changes, so that it is read out once. open shows a case, to
// those who may see it.
export function showEmergencies(list, open) {
  const box = $('emergencies');
  const mark = JSON.stringify(list);
  if (box.dataset.mark === mark) return;
  box.dataset.mark = mark;
  box.hidden = list.length === 0;
  box.replaceChildren(...list.map((e) => el('p', {},
    `应急:${e.scopeName}投诉激增,${clock(e.startedAt)} 起。请优先安抚客户,按统一口径答复。`,
    open ? el('button', { type: 'button', onclick: () => open(e.case) }, '查看') : '')));
}

const rate = (perHour) => `每小时 ${Math.round(perHour * 10) / 10} 起`;
const counts = (by, name) => Object.entries(by || {}).sort((a, b) => b[1] - a[1]).map(([key, n]) => `${name(key)} ${n}`).join('、');

// emergencyFacts are what the case of an emergency says; once it is closed, its report.
export function emergencyFacts(detail, groupName) {
  const { report } = detail;
  const known = [['范围', detail.scopeName], ['平时', rate(detail.usualPerHour)]];
  if (!report) return [...known, ['发现时', `${detail.complaints} 起投诉`], ['至少持续到', detail.heldUntil ? clock(detail.heldUntil) : '']];
  const first = report.firstResponse;
  return [...known,
    ['时间', `${clock(report.from)} 至 ${clock(report.until)}`],
    ['投诉', `${report.complaints} 起`],
    ['最高', report.peakAt ? `${rate(report.peakPerHour)}(${clock(report.peakAt)})` : ''],
    ['按渠道', counts(report.byChannel, (key) => key)],
    ['按技能组', counts(report.byGroup, (key) => groupName(key) || '未分组')],
    ['首次响应', first.answered ? `${first.answered}/${first.asked} 位已响应,半数在 ${span(first.medianSeconds)}内,九成在 ${span(first.slowSeconds)}内` : `0/${first.asked} 位已响应`],
    ['结束', detail.closedBy ? `由 ${detail.closedBy} 结束` : '投诉恢复正常'],
  ];
}
