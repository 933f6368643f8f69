// The dialog that asks the shop's own system about an order, and has it sent elsewhere or cancelled.

import { $, clock, el, newKey } from './dom.js';
import { api } from './api.js';
import { facts, yuan } from './cases.js';

// lookUp has: id of the conversation, number to begin with, attempt(f), apply(order) for an after-sales case, changed(case).
export function lookUp({ id, number, attempt, apply, changed }) {
  const dialog = $('order');
  const asked = el('input', { required: true, maxlength: '64', autocomplete: 'off', value: number || undefined });
  const answer = el('div', { 'aria-live': 'polite' });
  const submit = el('button', { class: 'primary', type: 'submit' }, '查询');
  const close = () => dialog.close();
  const show = (order) => answer.replaceChildren(
    order.state || order.paid ? facts([
      ['订单号', order.number], ['状态', order.state], ['实付', order.paid ? yuan(order.paid) : ''], ['付款', order.paidAt && clock(order.paidAt)],
      ['签收', order.deliveredAt && clock(order.deliveredAt)], ['物流', order.tracking], ['运费险', order.freightInsured && '有'],
      ['商品', (order.items || []).map((item) => `${item.name}${item.quantity > 1 ? ` ×${item.quantity}` : ''}`).join('、')],
    ]) : el('p', { class: 'note' }, '没有查到订单信息,仍可以提交申请'),
    el('div', { class: 'row' },
      el('button', { type: 'button', class: 'primary', onclick: () => { close(); apply(order); } }, '建售后单'),
      el('button', { type: 'button', class: 'quiet', onclick: () => change(order, 'address') }, '修改地址'),
      el('button', { type: 'button', class: 'quiet harsh', onclick: () => change(order, 'cancel') }, '取消订单')));
  // change asks for what a change takes; a cancellation is asked for once more: it is money.
  const change = (order, operation) => {
    const recipient = el('input', { required: true, maxlength: '50', autocomplete: 'off' });
    const phone = el('input', { required: true, maxlength: '30', inputmode: 'tel', autocomplete: 'off' });
    const address = el('input', { required: true, maxlength: '200', autocomplete: 'off' });
    const note = el('input', { maxlength: '200' });
    const key = newKey();
    const moving = operation === 'address';
    const go = el('button', { class: moving ? 'primary' : 'danger', type: 'submit' }, moving ? '确认修改地址' : '确认取消订单');
    dialog.replaceChildren(el('form', {
      onsubmit: async (event) => {
        event.preventDefault();
        go.disabled = true;
        const to = moving ? { recipient: recipient.value.trim(), phone: phone.value.trim(), address: address.value.trim() } : undefined;
        const made = await attempt(() => api.changeOrder(id, { key, order: order.number, operation, address: to, note: note.value.trim() || undefined }));
        go.disabled = false;
        if (!made) return;
        close();
        changed(made);
      },
    }, el('h2', {}, `${moving ? '修改地址' : '取消订单'} · ${order.number}`),
    ...(moving ? [el('label', {}, '收件人', recipient), el('label', {}, '电话', phone), el('label', {}, '新地址', address)]
      : [el('p', { class: 'note' }, '订单会在发货前取消,实付金额全部退回。')]),
    el('label', {}, '说明(选填,不要写地址)', note),
    el('div', { class: 'row' }, go, el('button', { type: 'button', class: 'quiet', onclick: close }, '返回'))));
  };
  dialog.replaceChildren(el('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      const wanted = asked.value.trim();
      submit.disabled = true;
      const found = await attempt(() => api.order(id, wanted));
      submit.disabled = false;
      show(found || { number: wanted });
    },
  }, el('h2', {}, '查订单'), el('label', {}, '订单号', asked), el('div', { class: 'row' }, submit, el('button', { type: 'button', class: 'quiet', onclick: close }, '关闭')), answer));
  dialog.showModal();
}
