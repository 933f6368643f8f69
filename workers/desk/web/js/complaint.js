// The banner of a complaint, and the dialog that begins one.

import { $, clock, el, newKey } from './dom.js';
import { api } from './api.js';

const roles = { Supervisor: '主管', Admin: '管理员' };

// underWay says whether a complaint is not resolved yet: no other begins in its conversation.
export const underWay = (complaint) => Boolean(complaint) && !settled(complaint);

const settled = (c) => c.state === 'resolved' || c.state === 'followed_up';

// showComplaint fills the banner. It is built anew only when the complaint changes, so that nobody loses what they type.
export function showComplaint(box, current, attempt, changed) {
  const c = current.complaint;
  box.hidden = !c;
  const mark = c ? JSON.stringify([c, current.channelGone]) : '';
  if (box.dataset.mark === mark) return;
  box.dataset.mark = mark;
  if (!c) return;
  box.classList.toggle('settled', settled(c));
  if (underWay(c)) {
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

// askForComplaint calls made with the case of what the customer complains of.
export function askForComplaint(id, attempt, made) {
  const dialog = $('new-complaint');
  const what = el('textarea', { rows: '3', required: true, maxlength: '2000', placeholder: '例如:等了三天没有人处理退款' });
  const submit = el('button', { class: 'primary', type: 'submit' }, '记下投诉');
  const key = newKey();
  dialog.replaceChildren(el('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      const complaint = await attempt(() => api.complain(id, { key, what: what.value.trim() }));
      submit.disabled = false;
      if (!complaint) return;
      dialog.close();
      made(complaint);
    },
  }, el('h2', {}, '记投诉'), el('p', { class: 'note' }, '按投诉流程处理:告知客户已受理,逾期未解决逐级升级。'), el('label', {}, '客户投诉什么', what),
  el('div', { class: 'row' }, submit, el('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, '取消'))));
  dialog.showModal();
}
