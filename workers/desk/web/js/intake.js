// The card of what the customer has told while they waited.

import { el } from './dom.js';

const names = { OrderNumber: '订单号', ProblemType: '问题类型', ProductName: '商品', OrderTime: '下单时间', Contact: '联系方式' };

// showIntake fills the card; it is hidden where nothing was asked and nothing was told.
export function showIntake(box, card) {
  const values = (card && card.values) || {};
  const told = Boolean(card) && (card.asked || Object.keys(values).length > 0);
  box.hidden = !told;
  box.replaceChildren(...(told ? card.fields.flatMap((field) => [
    el('dt', {}, names[field] || field), el('dd', { class: values[field] ? '' : 'missing' }, values[field] || (card.said ? '见聊天记录' : '未提供')),
  ]) : []));
}
