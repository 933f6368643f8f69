// Cases: what a list says of one, and the pane that shows it with what may be done.

import { $, at, clock, el, left, newKey, span } from './dom.js';
import { api, mediaURL } from './api.js';
import { preview } from './transcript.js';
import { emergencyFacts } from './emergency.js';
import { about, needsAmount } from './goods.js';
import { tagOf } from './files.js';

// soonIs how long before its deadline a case turns amber.
const soonIs = 3600000;

export const kinds = {
  afterSales: '售后', complaint: '投诉', promise: '承诺', offHours: '非工作时间留言', callBack: '回访', order: '订单', shipping: '发货', emergency: '应急', review: '质检',
};

const states = {
  afterSales: {
    evidence: '待客户补充凭证', review: '待审核', returning: '待客户寄回', received: '待验货', refunding: '待退款', shipping: '待发货',
    claiming: '运费险理赔中', compensating: '待退运费', undoing: '待追回退款', sendingBack: '待退回商品', settled: '待回访', done: '已完成', refused: '已拒绝', withdrawn: '已撤销', expired: '已超时关闭',
  },
  complaint: { open: '待处理', escalated: '已升级', resolved: '待回访', followed_up: '已回访' },
  shipping: { open: '待发货', done: '已发货' },
  order: { asked: '处理中', done: '已完成', refused: '未通过' },
  emergency: { open: '进行中', closing: '正在结束', closed: '已结束' },
  review: { pending: '待质检', scored: '已质检', appealed: '申诉待裁决', upheld: '申诉驳回', changed: '申诉改判' },
};
const common = { open: '待处理', done: '已完成', cancelled: '已取消', lapsed: '已失效', closed: '已结束' };

export const stateName = (c) => (states[c.kind] || {})[c.state] || common[c.state] || c.state;

const actions = {
  approve: '同意', refuse: '拒绝', askEvidence: '要求补充凭证', addEvidence: '添加凭证', sent: '登记客户寄回', receive: '确认收货', accept: '验货通过',
  reject: '验货不通过', refunded: '登记已退款', shipped: '登记已发货', claimed: '登记已理赔', freightPaid: '登记已退运费', reversed: '登记已追回', waive: '不再办理', retry: '重新提交',
  refundInstead: '改为退款', withdraw: '客户撤销', confirm: '客户满意', dispute: '客户有异议', unanswered: '客户未答复', assign: '转交', complain: '客户再次投诉', resolve: '解决', followUp: '标记已回访',
  expire: '等待超时', done: '完成', postpone: '延期', reassign: '转交', cancel: '取消', compensate: '补偿', extend: '延长两小时', close: '结束应急',
  open: '建立', apply: '提交申请', due: '设定时限', remind: '提醒', breach: '超时', overall: '总时长超时', escalate: '升级', told: '告知客户',
  notTold: '未能告知客户', providerTold: '提交商家系统', providerPending: '商家系统受理', providerDone: '商家系统完成', providerRefused: '商家系统拒绝',
  byHand: '转人工处理', lapse: '失效', end: '结束', score: '评分', appeal: '申诉', decide: '裁决',
};
const harsh = new Set(['refuse', 'reject', 'withdraw', 'cancel', 'waive']);

export const actionName = (action) => actions[action] || action;

const fields = {
  note: '说明', amount: '金额(元)', keepGoods: '商品不用寄回', returnGoods: '需要寄回商品', freight: '寄回的运费', freightAmount: '运费金额(元)', carrier: '快递公司', tracking: '快递单号', reference: '流水号或凭证号', owner: '客服的名称',
  checked: '检查项', evidence: '凭证', due: '新的时间', reasonCode: '不满意的原因', compensation: '补偿方式',
};

const wants = { Return: '退货退款', Exchange: '换货', RefundOnly: '仅退款', Reissue: '补发' };
const reasons = { NoReason: '无理由', Quality: '质量问题', WrongItem: '发错货', MissingItem: '少发', Damaged: '破损', Other: '其他' };
const discontents = { Attitude: '服务态度', Unsolved: '问题没解决', SlowReply: '回复慢', Product: '商品', Logistics: '物流', Price: '价格', Other: '其他' };
const compensations = { Coupon: '优惠券', Points: '积分', Gift: '赠品', Refund: '退款' };
const offers = { waiting: '待审批', approved: '可以告知客户', refused: '未通过' };
const sources = { Platform: '平台', 12315: '12315', Elsewhere: '其他渠道' };
const categories = { '': '普通商品', custom: '定制商品', fresh: '生鲜商品' };
const scales = { FiveStars: '星', ThreeLevels: '档' };
const effects = { waiting: '即将提交', sending: '提交中', pending: '处理中', byHand: '待人工处理', refused: '被拒绝', done: '已完成' };
const freights = { Buyer: '买家承担', Seller: '商家承担', Insurance: '运费险' };
const people = { customer: '客户', provider: '商家系统' };

export const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;

// nameOf is the name of the case of an id, as frames have it.
export const nameOf = (id) => { const [kind, , , ...rest] = id.split('/'); return [kind, ...rest].join('~'); };

// title is what a case is called, with what tells it from others of its kind: what was promised, or the end of the order's number.
export function title(c) {
  const name = c.title || kinds[c.kind] || c.kind;
  const detail = c.detail || {};
  const order = detail.order || ((detail.application || {}).order || {}).number;
  // What came from outside is named by where it came from: what it says may name the customer.
  const which = (detail.source && [sources[detail.source], detail.reference].filter(Boolean).join(' ')) || detail.what || (order && `订单 …${order.slice(-4)}`);
  return which ? `${name} · ${which.length > 40 ? `${which.slice(0, 40)}…` : which}` : name;
}

// dueTag says when something is due: red when that is past, amber when it is soon.
export function dueTag(c) {
  if (c.closedAt || !c.due) return undefined;
  const rest = at(c.due) - Date.now();
  if (rest <= 0) return el('span', { class: 'tag hot', title: `应在 ${clock(c.due)} 前完成` }, `超时 ${span(-rest / 1000)}`);
  return el('span', { class: rest < soonIs ? 'tag soon' : 'tag', title: `应在 ${clock(c.due)} 前完成` }, `剩 ${left(c.due)}`);
}

// caseEntry is a case in the list.
export function caseEntry(c, { current, group, open }) {
  const marks = el('span', { class: 'marks' }, dueTag(c) || '');
  return el('li', {}, el('button', { type: 'button', 'aria-current': String(current), onclick: open },
    el('span', { class: c.overdue ? 'name hot' : 'name' }, title(c)), el('span', { class: 'when' }, clock(c.openedAt)),
    el('span', { class: 'preview' }, [!title(c).startsWith(kinds[c.kind]) && kinds[c.kind], stateName(c), c.ownerName || c.owner || group || '无人负责'].filter(Boolean).join(' · ')), marks));
}

// chips are a customer's cases beside their conversation.
export function chips(box, cases, open) {
  const shown = cases.filter((c) => c.kind !== 'complaint' || c.closedAt === undefined);
  box.hidden = shown.length === 0;
  box.replaceChildren(...shown.map((c) => el('button', { type: 'button', class: c.closedAt ? 'chip ended' : 'chip', onclick: () => open(c.name) },
    el('span', { class: 'what' }, title(c)), stateName(c), dueTag(c) || '')));
}

export function facts(list) {
  return el('dl', { class: 'facts' }, ...list.filter(([, value]) => value !== undefined && value !== '').flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

function effect(name, e) {
  return [name, e && [effects[e.state] || e.state, e.amount ? yuan(e.amount) : '', e.reference || '', e.reason || ''].filter(Boolean).join(' · ')];
}

const itemName = (item) => `${item.name}${item.quantity > 1 ? ` ×${item.quantity}` : ''}`;

// afterSales is what an after-sales case is about, for who decides on it.
function afterSales(c) {
  const { application: a, decision = {}, parcel, sentBack } = c.detail;
  if (!a) return [];
  const order = a.order || {};
  return [facts([
    ['申请', [wants[a.kind] || a.kind, reasons[a.reason] || a.reason].join(' · ')],
    ['订单号', order.number],
    ['实付', order.paid ? yuan(order.paid) : ''],
    ['退款金额', decision.amount ? yuan(decision.amount) : a.amount ? yuan(a.amount) : ''],
    ['签收', order.deliveredAt ? clock(order.deliveredAt) : ''],
    ['商品', (order.items || []).map(itemName).join('、')],
    ['客户描述', a.description],
    ['邮箱', a.contact && a.contact.email],
    ['规则建议', decision.agent],
    ['运费', decision.goodsBack ? freights[decision.freight] : ''],
    effect('退款', c.detail.refund), effect('发货', c.detail.shipment), effect('运费险', c.detail.claim), effect('退运费', c.detail.freight), effect('追回', c.detail.reversal),
    ['客户寄回', parcel && [parcel.carrier, parcel.tracking, parcel.freight ? `客户称垫付运费 ${yuan(parcel.freight)}` : ''].filter(Boolean).join(' ')],
    ['退回客户', sentBack && [sentBack.carrier, sentBack.tracking].filter(Boolean).join(' ')],
  ]), evidence(c, a.evidence || [])];
}

// asked is what is asked of an order.
const asked = (c) => [
  ['订单号', c.detail.order],
  effect('商家系统', c.detail.effect),
  ['收件人', c.address && c.address.recipient], ['电话', c.address && c.address.phone], ['新地址', c.address && c.address.address],
];

// evidenceFile shows a file. What is played can be saved as well: not every browser plays what every telephone records.
function evidenceFile(src, file) {
  if (!file) return el('span', {}, '凭证已删除');
  if (!file.contentType) return el('span', {}, '凭证尚未取得');
  const tag = tagOf(file.contentType);
  const saver = el('a', { href: src, download: '凭证' }, '下载');
  switch (tag) {
    case 'img': return el('a', { href: src, target: '_blank', rel: 'noopener' }, el('img', { src, alt: '凭证' }));
    case 'video':
    case 'audio': return el('span', {}, el(tag, { src, controls: true, preload: 'metadata', 'aria-label': '凭证' }), saver);
    default: return saver;
  }
}

function evidence(c, list) {
  const files = list.filter((e) => e.media);
  const words = list.length - files.length;
  if (!list.length) return '';
  return el('div', { class: 'evidence' },
    ...files.map((e) => evidenceFile(api.evidenceURL(c.name, e.media), (c.files || []).find(({ id }) => id === e.media))),
    words ? el('span', {}, `另有 ${words} 条聊天记录`) : '');
}

// whatElse is what an event tells beside its note: until when something is due then, and whose it is.
const whatElse = {
  due: (e) => (e.due ? `${clock(e.due)} 前完成` : ''),
  postpone: (e) => (e.due ? `延到 ${clock(e.due)}` : ''),
  assign: (e) => (e.owner ? `交给 ${e.ownerName || e.owner}` : '交回本组'),
};
whatElse.reassign = whatElse.assign;

// happened is an event of a case's history: when, what, in which state that left the case, and who did it.
function happened(c, e) {
  const told = [(whatElse[e.action] || (() => ''))(e), e.note].filter(Boolean).join('，');
  const state = stateName({ ...c, state: e.state });
  return el('li', {}, el('time', { datetime: e.at }, clock(e.at)), el('strong', {}, e.action ? actionName(e.action) : state), el('span', { class: 'tag' }, state),
    el('span', { title: e.actorName && e.actor }, [people[e.actor] || e.actorName || e.actor || '系统', told].filter(Boolean).join('：')));
}

// calledIn finds what colleagues call an Agent who did something to a case.
const calledIn = (history) => (agent) => (history.find((e) => e.actor === agent && e.actorName) || {}).actorName || agent;

// Pane shows one case.
export class Pane {
  // on has: attempt(f), changed(), conversation(id), group(c), me().
  constructor(on) {
    this.on = on;
    this.box = $('case');
    $('case-back').addEventListener('click', () => this.on.close());
  }

  get name() { return this.shown && this.shown.name; }

  async open(name) {
    const c = await this.on.attempt(() => api.case(name));
    if (c) this.show(c);
    return Boolean(c);
  }

  // refresh reads the case anew, whoever changed it.
  async refresh() {
    const { name } = this;
    if (!name) return;
    const c = await api.case(name);
    if (this.name === name) this.show(c);
  }

  close() {
    this.shown = undefined;
    this.box.hidden = true;
  }

  show(c) {
    const other = this.name !== c.name;
    this.shown = c;
    this.box.hidden = false;
    $('case-title').textContent = title(c);
    $('case-meta').textContent = [kinds[c.kind], stateName(c), this.on.group(c), c.owner ? `由 ${c.ownerName || c.owner} 负责` : '', `${clock(c.openedAt)} 建立`].filter(Boolean).join(' · ');
    $('case-due').replaceChildren(dueTag(c) || '');
    const talk = $('case-conversation');
    talk.hidden = !c.conversation;
    talk.onclick = () => this.on.conversation(c.conversation);
    $('case-facts').replaceChildren(...(c.kind === 'afterSales' ? afterSales(c) : [facts(c.kind === 'order' ? asked(c) : c.kind === 'emergency' ? emergencyFacts(c.detail, (skillGroup) => this.on.group({ skillGroup })) : (knowing[c.kind] || plain)(c.detail || {}, calledIn(c.history)))]));
    $('case-history').replaceChildren(...c.history.map((e) => happened(c, e)));
    // Nobody loses what they type to news that change nothing of what they may do.
    const mark = JSON.stringify([c.name, c.state, c.allowed, (c.detail || {}).compensations]);
    if (other || this.mark !== mark) this.offer(c);
    this.mark = mark;
  }

  offer(c) {
    this.form = undefined;
    $('case-actions').replaceChildren(...c.allowed.map((a, i) => el('button', {
      type: 'button', class: i === 0 ? 'primary' : harsh.has(a.action) ? 'quiet harsh' : 'quiet', onclick: () => this.choose(c, a),
    }, actionName(a.action))));
    $('case-actions').hidden = c.allowed.length === 0;
    $('case-form').hidden = true;
  }

  // choose asks for what an action takes. One that takes nothing is asked for once more: it may be money.
  async choose(c, a) {
    const takes = [...(a.needs || []), ...(a.takes || [])];
    const inputs = new Map();
    const parts = [];
    for (const name of takes) parts.push(await this.input(c, a, name, inputs));
    if (this.name !== c.name) return;
    const key = newKey();
    const submit = el('button', { class: harsh.has(a.action) ? 'danger' : 'primary', type: 'submit' }, actionName(a.action).replace(/^(确认)?/, '确认'));
    const form = $('case-form');
    form.replaceChildren(el('h3', {}, actionName(a.action)), ...parts, el('div', { class: 'row' }, submit, el('button', { type: 'button', class: 'quiet', onclick: () => { form.hidden = true; } }, '返回')));
    form.hidden = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      const request = { key, action: a.action, revision: this.shown.revision };
      for (const [name, value] of inputs) {
        const said = value();
        if (said !== undefined && said !== '') request[name] = said;
      }
      submit.disabled = true;
      const changed = await this.on.attempt(() => api.actOnCase(c.name, request));
      submit.disabled = false;
      if (changed && this.name === c.name) {
        this.show(changed);
        form.hidden = true;
      }
      if (!changed) await this.refresh().catch(() => {});
      this.on.changed();
    };
    form.scrollIntoView({ block: 'nearest' });
    const first = form.querySelector('input, textarea');
    if (first) first.focus();
  }

  async input(c, a, name, inputs) {
    const required = (a.needs || []).includes(name);
    const label = `${fields[name] || name}${required ? '' : '(选填)'}`;
    switch (name) {
      case 'keepGoods':
      case 'returnGoods': {
        const box = el('input', { type: 'checkbox' });
        inputs.set(name, () => box.checked || undefined);
        return el('label', { class: 'check' }, box, fields[name]);
      }
      case 'checked': {
        const points = (a.points || []).map((point) => [point, el('input', { type: 'checkbox', required: true })]);
        inputs.set(name, () => points.filter(([, box]) => box.checked).map(([point]) => point));
        return el('fieldset', {}, el('legend', {}, '逐项检查'), ...points.map(([point, box]) => el('label', { class: 'check' }, box, point)));
      }
      case 'evidence': {
        const chooser = evidenceChooser(await this.on.attempt(() => saidOf(c)) || []);
        inputs.set(name, chooser.value);
        return chooser.element;
      }
      case 'amount': {
        const input = el('input', { type: 'number', min: '0.01', step: '0.01', inputmode: 'decimal', required });
        inputs.set(name, () => fen(input.value));
        return el('label', {}, label, input);
      }
      case 'freightAmount': {
        const { decision, parcel = {} } = c.detail;
        // What is paid back is the agent's to say: at most what the policy grants, for a start what the customer laid out.
        const most = a.action === 'accept' ? decision.freightUpTo : 10000000;
        const laidOut = a.action === 'accept' && parcel.freight ? (Math.min(parcel.freight, most) / 100).toFixed(2) : undefined;
        const input = el('input', { type: 'number', min: '0', max: most / 100, step: '0.01', inputmode: 'decimal', required, value: laidOut });
        inputs.set(name, () => fen(input.value));
        return el('label', {}, a.action === 'accept' ? `退给客户的${label},最多 ${yuan(most)}` : `客户垫付的${label}`, input);
      }
      case 'due': {
        const input = el('input', { type: 'datetime-local', required });
        inputs.set(name, () => input.value && new Date(input.value).toISOString());
        return el('label', {}, label, input);
      }
      case 'note': {
        const input = el('textarea', { rows: '2', maxlength: '500', required });
        inputs.set(name, () => input.value.trim());
        return el('label', {}, label, input);
      }
      case 'freight': {
        const input = el('select', {}, ...options({ '': `按规则:${freights[c.detail.decision.freight]}`, ...freights }));
        inputs.set(name, () => input.value);
        const known = el('span', { class: 'hint' });
        const { source, order } = c.detail.application;
        if (source === 'Customer' && c.conversation) { // Whose word is to be looked into; where nobody knows more nothing is said.
          api.order(c.conversation, order.number).then(({ freightInsured }) => { if (freightInsured) known.textContent = '商家系统:订单有运费险'; }, () => {});
        }
        return el('label', {}, label, input, known);
      }
      case 'reasonCode':
      case 'compensation': {
        const input = el('select', { required }, ...options(name === 'reasonCode' ? discontents : compensations));
        inputs.set(name, () => input.value);
        return el('label', {}, label, input);
      }
      default: {
        const input = el('input', { maxlength: '100', required });
        inputs.set(name, () => input.value.trim());
        return el('label', {}, label, input);
      }
    }
  }
}

// owed is what a task knows of itself.
const owed = (d) => [
  ['内容', d.what],
  ['评分', d.rating ? `${d.rating} ${scales[d.scale] || ''}` : ''],
  ['接待客服', d.rated],
  ['不满意的原因', discontents[d.reasonCode]],
  ['订单号', d.order],
  ['快递', [d.carrier, d.tracking].filter(Boolean).join(' ')],
  ['延期次数', d.postponed ? String(d.postponed) : ''],
];

// complained is what a complaint knows of itself. Who offers something, or decides on it, is called as in its history.
const complained = (d, called) => [
  ['来源', sources[d.source]],
  ['来源编号', d.reference],
  ['内容', d.what],
  ['处理结果', d.resolution],
  ...(d.compensations || []).map((o) => ['补偿', [compensations[o.kind] || o.kind, yuan(o.worth), offers[o.state] || o.state, `由 ${called(o.by)} 提出`, o.decidedBy ? `${called(o.decidedBy)} 审批` : '', o.note].filter(Boolean).join(' · ')]),
];

const knowing = { promise: owed, offHours: owed, callBack: owed, shipping: owed, complaint: complained };

// plain is what a case of another kind knows of itself and that needs no words of ours.
const plain = (detail) => Object.entries(detail || {}).filter(([, value]) => typeof value === 'string' || typeof value === 'number').map(([name, value]) => [name, String(value)]);

const fen = (text) => (text ? Math.round(Number(text) * 100) : undefined);

// saidOf is what was said in the case's conversation, and in that which the customer has open now: who comes back has a new one.
async function saidOf(c) {
  const { conversations } = await api.conversations({ limit: 200 });
  const open = conversations.filter((other) => c.customer && other.channel === c.channel && other.customer === c.customer).map(({ id }) => id);
  const unseen = (error) => { // The agent may see the case alone.
    if (error.status === 404) return { messages: [] };
    throw error;
  };
  const places = [...new Set([c.conversation, ...open].filter(Boolean))];
  return (await Promise.all(places.map((id) => api.conversation(id).catch(unseen)))).flatMap(({ messages }) => messages);
}

// evidenceChooser offers what the customer said and sent.
function evidenceChooser(messages) {
  const theirs = messages.filter((m) => m.sender === 'customer' && m.content && ['text', 'image', 'video', 'voice'].includes(m.content.kind)).slice(-30);
  const boxes = theirs.map((m) => [m, el('input', { type: 'checkbox', checked: m.content.kind === 'image' })]);
  const element = el('fieldset', { class: 'chooser' }, el('legend', {}, '凭证'), ...boxes.map(([m, box]) => el('label', { class: 'check' }, box,
    m.content.kind === 'image' && m.content.media ? el('img', { src: mediaURL(m.content.media.id, m.conversation), alt: '图片' }) : el('span', {}, preview({ sender: 'customer', kind: m.content.kind, text: m.content.text })),
    el('time', { datetime: m.sentAt }, clock(m.sentAt)))), theirs.length ? '' : el('span', { class: 'hint' }, '客户还没有发来可以作为凭证的内容'));
  const value = () => boxes.filter(([, box]) => box.checked).map(([m]) => m.id);
  return { element, value };
}

const options = (names) => Object.entries(names).map(([value, name]) => el('option', { value }, name));

// day is the day of a time here, as inputs have it.
const day = (time) => new Date(at(time) - new Date(time).getTimezoneOffset() * 60000).toISOString().slice(0, 10);

// askForCase is the dialog that opens an after-sales case from a conversation. opened is called with the case.
// Order is what is known of the order, if anything; where its goods are, the agent chooses among them, and the number is that of the order.
export function askForCase(id, messages, attempt, opened, order = {}) {
  const dialog = $('new-case');
  const goods = order.items || [];
  const boxes = goods.map(() => el('input', { type: 'checkbox' }));
  const chosen = () => boxes.map((box) => box.checked);
  const number = el('input', { required: true, maxlength: '64', autocomplete: 'off', value: order.number, readonly: goods.length > 0 });
  const kind = el('select', {}, ...options(wants));
  const reason = el('select', {}, ...options(reasons));
  const paid = el('input', { type: 'number', min: '0.01', step: '0.01', required: true, inputmode: 'decimal', value: order.paid ? (order.paid / 100).toFixed(2) : undefined });
  const amount = el('input', { type: 'number', min: '0.01', step: '0.01', inputmode: 'decimal' });
  const delivered = el('input', { type: 'date', max: day(new Date().toISOString()), value: order.deliveredAt ? day(order.deliveredAt) : undefined });
  const item = el('input', { maxlength: '100' });
  const category = el('select', {}, ...options(categories));
  const email = el('input', { type: 'email', maxlength: '254', autocomplete: 'off' });
  const insured = el('input', { type: 'checkbox', checked: order.freightInsured });
  const description = el('textarea', { rows: '2', maxlength: '500' });
  const chooser = evidenceChooser(messages);
  const submit = el('button', { class: 'primary', type: 'submit' }, '建单');
  const key = newKey();
  const ask = (label, input) => el('label', {}, label, input);
  const form = el('form', {
    onchange: () => { amount.required = needsAmount(kind.value, chosen()); },
    onsubmit: async (event) => {
      event.preventDefault();
      const of = { number: number.value.trim(), paid: fen(paid.value), paidAt: number.value.trim() === order.number ? order.paidAt : undefined, freightInsured: insured.checked || undefined };
      if (delivered.value) of.deliveredAt = new Date(`${delivered.value}T12:00:00`).toISOString();
      if (goods.length) of.items = about(goods, chosen());
      else if (item.value.trim() || category.value) of.items = [{ name: item.value.trim(), category: category.value || undefined }];
      submit.disabled = true;
      const made = await attempt(() => api.openCase(id, {
        key, kind: kind.value, reason: reason.value, order: of, amount: fen(amount.value), description: description.value.trim() || undefined,
        contact: email.value.trim() ? { email: email.value.trim() } : undefined, evidence: chooser.value(),
      }));
      submit.disabled = false;
      if (!made) return;
      dialog.close();
      opened(made);
    },
  }, el('h2', {}, '建售后单'), el('div', { class: 'grid' }, ask('订单号', number), ask('申请', kind), ask('原因', reason), ask('实付金额(元)', paid), ask('要求退款(元,选填)', amount),
    ask('签收日期(未签收不填)', delivered), ...(goods.length ? [] : [ask('商品(选填)', item), ask('商品类型', category)]), ask('客户邮箱(选填)', email)),
  goods.length ? el('fieldset', { class: 'chooser' }, el('legend', {}, '商品(不选为全部,只退一部分请填退款金额)'), ...goods.map((g, i) => el('label', { class: 'check' }, boxes[i], itemName(g),
    g.category ? el('span', { class: 'tag' }, categories[g.category] || g.category) : ''))) : '', el('label', { class: 'check' }, insured, '订单有运费险'), ask('说明(选填)', description),
  chooser.element, el('div', { class: 'row' }, submit, el('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, '取消')));
  dialog.replaceChildren(form);
  dialog.showModal();
}
