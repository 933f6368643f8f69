// The banner of a complaint.

import { clock, el } from './dom.js';
import { api } from './api.js';

const roles = { Supervisor: '主管', Admin: '管理员' };

// showComplaint fills the banner. It is built anew only when the complaint changes, so that nobody loses what they type.
export function showComplaint(box, current, attempt, changed) {
  const c = current.complaint;
  box.hidden = !c;
  const mark = c ? JSON.stringify([c, current.channelGone]) : '';
  if (box.dataset.mark === mark) return;
  box.dataset.mark = mark;
  if (!c) return;
  const settled = c.state === 'resolved' || c.state === 'followed_up';
  box.classList.toggle('settled', settled);
  if (!settled) {
    const escalated = c.escalatedTo ? `,已升级给${roles[c.escalatedTo] || c.escalatedTo}` : '';
    const input = el('input', { 'aria-label': '处理结果', placeholder: '处理结果', required: true, maxlength: '1000' });
    const button = el('button', { class: 'primary', type: 'submit' }, '解决');
    const form = el('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        button.disabled = true;
        if (await attempt(() => api.resolve(c.conversation, input.value))) changed();
        else button.disabled = false;
      },
    }, input, button);
    const gone = current.channelGone ? ' · 渠道已被删除,请用其他方式联系客户' : '';
    box.replaceChildren(el('p', {}, el('strong', {}, '投诉'), ` ${clock(c.openedAt)} 提出${escalated}${gone}`), form);
    return;
  }
  const awaits = c.state === 'resolved' && c.followUpDue && !c.lapsed;
  const due = awaits ? ` · 请在 ${clock(c.followUpDue)} 前回访${c.followUpOverdue ? '(已超时)' : ''}` : '';
  const done = c.lapsed ? ' · 已失效,没有回访' : c.state === 'followed_up' ? ' · 已回访' : '';
  const parts = [el('p', {}, el('strong', {}, '投诉已解决'), `:${c.resolution || ''}${due}${done}`)];
  if (awaits) {
    const button = el('button', {
      type: 'button',
      onclick: async () => {
        button.disabled = true;
        if (await attempt(() => api.followUp(c.conversation))) changed();
        else button.disabled = false;
      },
    }, '标记已回访');
    parts.push(button);
  }
  box.replaceChildren(...parts);
}
