// The workbench: what is known, and what happens when news come.

import { $, alarm, at, clock, el, left, newKey, quiet, span, toast } from './dom.js';
import { api, explain, exportURL, onSignedOut, Refused } from './api.js';
import { Stream } from './stream.js';
import { Composer } from './composer.js';
import { noted, preview, render } from './transcript.js';
import { askForComplaint, showComplaint, underWay } from './complaint.js';
import { showEmergencies } from './emergency.js';
import { showIntake } from './intake.js';
import { lookUp } from './order.js';
import { askForPromise } from './promise.js';
import { askForCase, caseEntry, chips, nameOf, Pane, stateName, title } from './cases.js';
import { callOf } from './news.js';
import { openWeeks } from './weeks.js';
import { showJudgement, standing, total } from './judgement.js';

const pollEvery = 5000;

const states = { bot: '机器人接待', queued: '排队中', awaiting_opening: '等待上班', assigned: '接待中', closed: '已结束' };
const emptyTexts = { mine: '还没有会话。上线后,排队的客户会自动分配给你。', waiting: '没有人在排队。', complaints: '没有待处理的投诉。', cases: '没有待处理的工单。', reviews: '没有待复核或质检的会话。', ratings: '最近 30 天没有差评。', closed: '没有已结束的会话。', all: '没有进行中的会话。' };
const queries = {
  mine: [{ state: 'assigned', mine: 'true', limit: 200 }],
  waiting: [{ state: 'queued', limit: 100 }, { state: 'awaiting_opening', limit: 100 }],
  closed: [{ state: 'closed', mine: 'true', limit: 50 }],
  all: [{ limit: 200 }],
};

let me;
let stream;
let tab = 'mine';
let groupNames = new Map();
let items = new Map(); // conversations of the list by id
let order = []; // ids of the list
let listCut = ''; // says that there is more than the list holds
let current; // {id, conversation, messages, window, complaint, rating}
let pollTimer;
const unread = new Map();
const closing = new Map(); // until when who waits can be answered, by conversation
const seen = {
  get: (id) => Number(localStorage.getItem(`seen/${id}`)),
  set: (id, time) => localStorage.setItem(`seen/${id}`, time),
};

const composer = new Composer({
  text: (text) => say({ kind: 'text', text }),
  picture: sendPicture,
  typing: () => { if (mayWrite()) api.typing(current.id).catch(() => {}); },
});

const pane = new Pane({ attempt, changed: () => listSoon(), conversation: (id) => open(id), group: (c) => groupName(c), close: () => show(undefined) });

// attempt runs f and says why it did not work.
async function attempt(f) {
  try {
    const done = await f();
    quiet(); // What was wrong before is not any more.
    return done;
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) toast(explain(error));
    return undefined;
  }
}

// soon runs f once, a little later, however often it is asked for.
function soon(f, wait) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => f().catch(() => {}), wait);
  };
}

const listSoon = soon(() => loadList(), 150);
const pollSoon = soon(() => poll(), 400);
const currentSoon = soon(() => refresh(), 250);
const caseSoon = soon(() => pane.refresh(), 250);

// --- signing in and out ---

onSignedOut(() => signedOut());

// signedOut leaves nothing of the agent to whoever sits down here next: what was shown and drafted goes with the page.
function signedOut() {
  if (!me) {
    askForToken();
    return;
  }
  me = undefined;
  if (stream) stream.stop();
  clearTimeout(pollTimer);
  for (const key of Object.keys(localStorage)) if (key.startsWith('seen/')) localStorage.removeItem(key);
  $('text').value = ''; // Some browsers keep it for the page that comes.
  location.reload();
}

function askForToken() {
  $('desk').hidden = true;
  $('sign-in').hidden = false;
  $('token').focus();
}

$('sign-in-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('sign-in-error').textContent = '';
  try {
    signedIn(await api.signIn($('token').value.trim()));
    $('token').value = '';
  } catch (error) {
    $('sign-in-error').textContent = explain(error);
  }
});

$('weeks').addEventListener('click', () => openWeeks(attempt));

$('sign-out').addEventListener('click', async () => {
  await attempt(async () => {
    await api.signOut();
    signedOut();
  });
});

function signedIn(agent) {
  me = agent;
  $('sign-in').hidden = true;
  $('desk').hidden = false;
  $('tab-all').hidden = $('tab-ratings').hidden = $('weeks').hidden = me.role === 'Agent';
  $('tab-reviews').textContent = me.role === 'Agent' ? '质检' : '复核';
  showMe();
  show(undefined);
  chooseTab('mine');
  stream = new Stream({
    frame: takeFrame,
    reset: () => { listSoon(); caseSoon(); if (current) currentSoon(); },
    up: () => connection(true),
    down: () => connection(false),
    signedOut,
  });
  poll();
}

function showMe() {
  $('agent-name').textContent = me.displayName;
  $('agent-load').textContent = `${me.used}/${me.capacity}`;
  $('duty').setAttribute('aria-checked', String(me.onDuty));
  $('duty-label').textContent = me.onDuty ? '接待中' : '未上线';
}

function connection(up) {
  $('connection').className = `connection ${up ? 'up' : 'down'}`;
  $('connection').textContent = up ? '已连接' : '连接中断';
  $('broken').hidden = up;
}

$('duty').addEventListener('click', async () => {
  const next = await attempt(() => api.duty(!me.onDuty));
  if (!next) return;
  me = next;
  showMe();
  poll();
});

// poll reads what no frame tells: who waits, and conversations of others.
async function poll() {
  clearTimeout(pollTimer);
  try {
    const [{ groups }, { emergencies }, next] = await Promise.all([api.groups(), api.emergencies(), api.me()]);
    if (!me) return;
    me = next;
    showMe();
    showEmergencies(emergencies, me.role !== 'Agent' && openCase);
    showGroups(groups);
    if (tab !== 'mine') await loadList();
    if (current && !isMine(current.conversation) && current.conversation.state !== 'closed') await refresh();
    await pane.refresh();
  } catch (error) {
    if (!(error instanceof Refused) && stream) stream.suspect();
  }
  if (me) pollTimer = setTimeout(poll, pollEvery);
}

function showGroups(groups) {
  const short = groups.filter((group) => group.callsForHelp).map((group) => group.displayName);
  $('call').hidden = short.length === 0 || me.onDuty;
  $('call').textContent = short.length ? `${short.join('、')}人手不足,请上线支援。` : '';
  groupNames = new Map(groups.map((group) => [group.name, group.displayName]));
  $('groups').replaceChildren(...groups.map((group) => {
    const waiting = group.open ? group.waiting : group.waiting + group.awaitingOpening;
    const minutes = Math.floor((Date.now() - at(group.oldestWaitingSince)) / 60000);
    const longest = group.oldestWaitingSince && minutes > 0 ? ` · 最久 ${minutes} 分钟` : '';
    return el('li', { class: group.alert ? 'alert' : waiting ? 'busy' : '' }, `${group.displayName} ${group.open ? '' : '(休息)'}排队 ${waiting}${longest}`);
  }));
}

// --- the list ---

for (const button of document.querySelectorAll('[data-tab]')) button.addEventListener('click', () => chooseTab(button.dataset.tab));

function chooseTab(name) {
  tab = name;
  for (const button of document.querySelectorAll('[data-tab]')) button.setAttribute('aria-pressed', String(button.dataset.tab === tab));
  attempt(loadList);
}

async function loadList() {
  const wanted = tab;
  let found;
  let cut = '';
  if (wanted === 'complaints') {
    const { complaints } = await api.complaints();
    // One from outside may belong to no conversation: its case is opened then.
    found = complaints.map((c) => ({ ...c, id: c.conversation || c.id, complaint: c, lastMessageAt: c.openedAt }));
  } else if (wanted === 'cases') {
    const { cases, truncated } = await api.cases();
    found = cases.map((c) => ({ ...c, case: c }));
    cut = truncated ? `只列出最先到期的 ${cases.length} 个` : '';
  } else if (wanted === 'reviews') {
    found = await loadReviews();
  } else if (wanted === 'ratings') {
    const { ratings } = await api.poorRatings();
    found = ratings.map((r) => ({ ...r, id: r.conversation, rating: r, lastMessageAt: r.ratedAt }));
  } else {
    const answers = await Promise.all(queries[wanted].map(api.conversations));
    found = answers.flatMap((answer) => answer.conversations);
  }
  if (tab !== wanted || !me) return;
  items = new Map(found.map((item) => [item.id, item]));
  order = found.map((item) => item.id);
  listCut = cut;
  for (const item of wanted === 'cases' ? [] : found) {
    const last = item.lastMessage;
    if (!unread.get(item.id) && isMine(item) && last && last.sender === 'customer' && !noted(last) && at(last.sentAt) > seen.get(item.id) && !isRead(item.id)) unread.set(item.id, 1);
  }
  showList();
}

// loadReviews are the conversations that the agent has to look at; of one who does not supervise, those of theirs that others did.
async function loadReviews() {
  const judged = ({ judgements }) => judgements.map((j) => ({ ...j.conversation, judgement: j.judgement, lastMessageAt: j.judgement.due || j.conversation.lastMessageAt }));
  if (me.role === 'Agent') return judged(await api.myJudgements());
  const [toJudge, { reviews }] = await Promise.all([api.judgements().then(judged), api.reviews()]);
  const marked = new Map(reviews.map((r) => [r.conversation.id, r]));
  const known = new Set(toJudge.map((c) => c.id));
  return [
    ...toJudge.map((c) => ({ ...c, review: marked.get(c.id) })),
    ...reviews.filter((r) => !known.has(r.conversation.id)).map((r) => ({ ...r.conversation, review: r, lastMessageAt: r.markedAt })),
  ];
}

const isMine = (c) => c.state === 'assigned' && c.agent === me.name;
const isRead = (id) => current && current.id === id && !document.hidden;

function showList() {
  $('list').replaceChildren(...order.map((id) => entry(items.get(id))), ...(listCut ? [el('li', { class: 'note' }, listCut)] : []));
  $('list-empty').hidden = order.length > 0;
  $('list-empty').textContent = emptyTexts[tab];
  const total = [...unread.values()].reduce((sum, n) => sum + n, 0);
  document.title = total ? `(${total}) 应答工作台` : '应答工作台';
}

function groupName(c) {
  return groupNames.get(c.skillGroup) || c.skillGroup;
}

function customerName(c) {
  return `客户 ${c.customer.slice(-6)}`;
}

// asking is how long a customer waits for their agent's answer, or for anybody's. It counts on by itself.
function asking(item) {
  const since = { assigned: item.askedSince, queued: item.queuedAt }[item.state];
  if (!since || item.review || item.complaint) return undefined;
  return el('span', { class: item.reminded || item.late ? 'tag hot' : 'tag', 'data-since': since, title: '等待回复' }, waits(since));
}

const waits = (since) => `等待 ${span((Date.now() - at(since)) / 1000)}`;

setInterval(() => {
  for (const tag of document.querySelectorAll('[data-since]')) tag.textContent = waits(tag.dataset.since);
}, 1000);

// rated is how a customer found the service, in words.
function rated({ scale, rating }) {
  if (!rating) return '已邀请评价';
  return scale === 'FiveStars' ? `${rating} 星` : ['不满意', '一般', '满意'][rating - 1];
}

function entry(item) {
  if (item.case) return caseEntry(item, { current: pane.name === item.name, group: groupName(item), open: () => openCase(item.name) });
  const count = unread.get(item.id) || 0;
  const marks = el('span', { class: 'marks' });
  const wait = asking(item);
  if (item.tier) marks.append(el('span', { class: 'tag hot' }, item.tier));
  if (wait) marks.append(wait);
  if (item.review) marks.append(el('span', { class: 'tag hot' }, `${item.review.agent || '排队'} · ${span(item.review.waitedSeconds)}`));
  if (item.judgement) marks.append(el('span', { class: item.judgement.due ? 'tag hot' : 'tag' }, standing(item.judgement)));
  if (item.complaint) marks.append(el('span', { class: 'tag hot' }, { open: '待处理', escalated: '已升级', resolved: '待回访' }[item.complaint.state] || '已回访'));
  else if (item.topic === 'complaint') marks.append(el('span', { class: 'tag hot' }, '投诉'));
  if (item.rating) marks.append(el('span', { class: 'tag hot' }, rated(item.rating)));
  if (!item.complaint && !item.review && tab !== 'mine' && tab !== 'closed') marks.append(el('span', { class: 'tag' }, item.agent || states[item.state]));
  if (at(closing.get(item.id)) > Date.now()) marks.append(el('span', { class: 'tag hot' }, '即将无法回复'));
  if (count) marks.append(el('span', { class: 'unread', 'aria-label': `${count} 条未读` }, String(count)));
  const outside = item.complaint && !item.conversation ? nameOf(item.complaint.id) : '';
  return el('li', {}, el('button', {
    type: 'button', 'aria-current': String(outside ? pane.name === outside : Boolean(current && current.id === item.id)),
    onclick: () => (outside ? openCase(outside) : open(item.id)),
  }, el('span', { class: item.tier ? 'name hot' : 'name' }, outside ? '外部投诉' : customerName(item)), el('span', { class: 'when' }, clock(item.lastMessageAt)),
  el('span', { class: 'preview' }, item.complaint ? `${groupName(item)} · 投诉${item.channelGone ? ' · 渠道已被删除' : ''}` : item.judgement ? `${groupName(item)} · ${total(item.judgement)}` : item.review ? `${groupName(item)} · 回复过慢` : item.rating ? groupName(item) : preview(item.lastMessage)), marks));
}

// --- one conversation ---

async function open(id) {
  const answer = await attempt(() => Promise.all([api.conversation(id), api.canned(id), api.tier(id), api.casesOf(id)]));
  if (!answer) return;
  const [detail, { cannedReplies }, { tiers, changes }, { cases }] = answer;
  show({ id, ...detail, tiers, changes, cases, pending: [] });
  loadJudgement();
  composer.open(id, cannedReplies);
  if (mayWrite() && matchMedia('(min-width: 761px)').matches) $('text').focus();
}

async function refresh() {
  if (!current) return;
  const { id } = current;
  const [detail, { cases }, history] = await Promise.all([api.conversation(id), api.casesOf(id), current.history ? api.timeline(id) : undefined]);
  if (!current || current.id !== id) return;
  const known = new Set(detail.messages.map((m) => m.id));
  current = { ...current, ...detail, cases, history: current.history && (history || current.history), complaint: detail.complaint, rating: detail.rating, pending: current.pending.filter((m) => !known.has(m.id)) };
  showCurrent();
}

// loadJudgement shows how the conversation was judged, or asks for it. Only what has ended is judged, and not all of that.
async function loadJudgement() {
  const place = current;
  if (place.conversation.state !== 'closed') return;
  const judgement = await api.judgement(place.id).catch(() => undefined);
  if (!current || current.id !== place.id) return;
  current.judgement = judgement;
  showCurrent();
}

function mayWrite() {
  return Boolean(current) && current.conversation.state !== 'closed' && (isMine(current.conversation) || me.role !== 'Agent');
}

function show(next) {
  composer.keep();
  current = next;
  pane.close();
  $('nothing').hidden = Boolean(next);
  $('open').hidden = !next;
  $('desk').classList.toggle('reading', Boolean(next));
  disarmClose();
  if (!next) {
    showList();
    return;
  }
  read(next.id);
  showCurrent(true);
  showList();
}

// openCase shows a case where the conversation was.
async function openCase(name) {
  if (!await pane.open(name)) return;
  const { shown } = pane;
  show(undefined);
  $('nothing').hidden = true;
  $('desk').classList.add('reading');
  pane.show(shown);
  showList();
}

// applyFor opens an after-sales case, of an order where one is known.
const applyFor = (order) => askForCase(current.id, current.messages, attempt, (made) => {
  toast(`已建售后单:${stateName(made)}。${made.detail.decision.agent}`);
  currentSoon();
  listSoon();
}, order);

$('open-case').addEventListener('click', () => applyFor());

$('look-up').addEventListener('click', () => lookUp({
  id: current.id, number: ((current.conversation.intake || {}).values || {}).OrderNumber, attempt, apply: applyFor,
  changed: (made) => {
    toast(`已提交:${title(made)}`);
    currentSoon();
    listSoon();
  },
}));

$('promise').addEventListener('click', () => askForPromise(current.id, attempt, (owed) => {
  toast(`已记下承诺,${clock(owed.due)} 前兑现`);
  currentSoon();
  listSoon();
}));

$('complain').addEventListener('click', () => askForComplaint(current.id, attempt, () => {
  toast('已记下投诉');
  currentSoon();
  listSoon();
}));

$('send-form').addEventListener('click', async () => {
  const place = current.id;
  $('send-form').disabled = true;
  const said = await attempt(() => api.sendForm(place, newKey()));
  $('send-form').disabled = false;
  if (said) takeMessage(said);
});

function read(id) {
  if (!isRead(id)) return;
  unread.delete(id);
  seen.set(id, Math.max(seen.get(id), ...current.messages.map((m) => at(m.sentAt))));
}

document.addEventListener('visibilitychange', () => {
  if (current) {
    read(current.id);
    showList();
  }
});

function showCurrent(toEnd) {
  const c = current.conversation;
  $('customer').textContent = customerName(c);
  $('meta').textContent = [c.channel, groupName(c), states[c.state], c.agent && c.agent !== me.name ? `由 ${c.agent} 接待` : '', c.passedBy ? `${c.passedBy.join('、')} 未及时回复` : '', current.rating ? `${current.rating.rating ? '评价:' : ''}${rated(current.rating)}` : ''].filter(Boolean).join(' · ');
  showWindow();
  showTier();
  showComplaint($('complaint'), current, attempt, currentSoon);
  $('reviewed').hidden = !(items.get(c.id) && items.get(c.id).review);
  showJudgement($('judgement'), current.judgement, me, attempt, () => { loadJudgement(); listSoon(); });
  showIntake($('intake'), c.intake);
  chips($('customer-cases'), current.cases || [], openCase);
  const writable = mayWrite();
  $('reply').hidden = !writable;
  $('close').hidden = $('open-case').hidden = $('look-up').hidden = $('promise').hidden = !writable;
  $('complain').hidden = !writable || underWay(current.complaint);
  $('export').href = exportURL(c.id);
  $('reply-note').hidden = writable;
  $('reply-note').textContent = c.closeReason === 'ChannelGone' ? '渠道已被删除,会话已结束。' : c.state === 'closed' ? '会话已结束。' : c.state === 'assigned' ? `会话由 ${c.agent} 接待,你可以查看。` : '会话还没有分配给客服。';
  const log = $('transcript');
  const atEnd = toEnd || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  showContacts();
  const { history } = current;
  const parts = history ? timeline(history.messages) : current.messages.map((m) => node(m));
  parts.push(...current.pending.map((m) => node(m)));
  if (history ? history.truncated : current.truncated) parts.unshift(el('p', { class: 'note' }, '更早的消息没有显示'));
  patch(log, parts);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

// timeline are the customer's messages on all Channels, with a line where another conversation goes on.
function timeline(messages) {
  const live = new Map(current.messages.map((m) => [m.id, m]));
  const shown = new Set(messages.map((m) => m.id));
  const all = [...messages, ...current.messages.filter((m) => !shown.has(m.id)).map((m) => ({ ...m, channel: current.conversation.channel }))];
  let last;
  return all.flatMap(({ channel, ...m }) => {
    const heading = m.conversation === last ? [] : [el('p', { class: 'note heading' }, m.conversation === current.id ? `当前会话 · ${channel}` : channel)];
    last = m.conversation;
    return [...heading, node(live.get(m.id) || m)];
  });
}

const scenes = {
  ADD_SCENE_SEARCH: '搜索', ADD_SCENE_ACCOUNT_MIGRATION: '账号迁移', ADD_SCENE_PROFILE_CARD: '名片分享', ADD_SCENE_QR_CODE: '扫码', ADD_SCENE_PROFILE_LINK: '图文页名称',
  ADD_SCENE_PROFILE_ITEM: '图文页菜单', ADD_SCENE_PAID: '支付后', ADD_SCENE_WECHAT_ADVERTISEMENT: '广告', ADD_SCENE_REPRINT: '转载', ADD_SCENE_LIVESTREAM: '直播', ADD_SCENE_CHANNELS: '视频号',
};

// showContacts says where the customer is known, when that is more than one Channel or more than its name.
function showContacts() {
  const contacts = (current.contacts || []).filter((c) => c.subscribedAt || current.contacts.length > 1);
  $('contacts').hidden = contacts.length === 0;
  $('contacts').textContent = contacts.map((c) => {
    const how = scenes[c.subscribeScene];
    return c.subscribedAt ? `${clock(c.subscribedAt)} 关注 ${c.channel}${how ? `(${how})` : ''}` : `${clock(c.since)} 首次来访 ${c.channel}`;
  }).join(' · ');
  $('history').setAttribute('aria-pressed', String(Boolean(current.history)));
}

$('history').addEventListener('click', async () => {
  const place = current;
  const history = place.history ? undefined : await attempt(() => api.timeline(place.id));
  if (!current || current.id !== place.id) return;
  current.history = history;
  showCurrent(true);
});

// node is the element of a message; the same one as long as the message is the same, so that pictures stay.
const nodes = new Map();

function node(message) {
  const mark = JSON.stringify(message);
  const known = nodes.get(message.id);
  if (known && known.mark === mark) return known.element;
  const element = render(message, me.name, () => retry(message));
  nodes.set(message.id, { mark, element });
  return element;
}

// patch changes a list of elements with as few moves as possible: screen readers read what is added.
function patch(parent, children) {
  const keep = new Set(children);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  children.forEach((child, i) => { if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] || null); });
  for (const [id, { element }] of nodes) if (!keep.has(element)) nodes.delete(id);
}

// showTier shows what sort of customer it is. Nobody loses the list while they choose.
function showTier() {
  const { tier = '' } = current.conversation;
  const tiers = [...new Set(['', ...current.tiers, tier])];
  $('tier').hidden = tiers.length === 1;
  $('tier').disabled = !mayWrite();
  $('tier').classList.toggle('hot', tier !== '');
  const last = current.changes[0];
  $('tier').title = last ? `${clock(last.at)} 由 ${last.by} 设置` : '';
  if ($('tier').dataset.tiers !== tiers.join()) {
    $('tier').dataset.tiers = tiers.join();
    $('tier').replaceChildren(...tiers.map((name) => el('option', { value: name }, name || '普通客户')));
  }
  if (document.activeElement !== $('tier')) $('tier').value = tier;
}

$('tier').addEventListener('change', async () => {
  const { id } = current;
  const changed = await attempt(() => api.setTier(id, $('tier').value));
  $('tier').blur();
  if (!changed) return;
  if (current && current.id === id) current.changes = [{ by: me.name, at: new Date().toISOString() }];
  takeConversation(changed);
  listSoon();
});

function showWindow() {
  if (!current) return;
  const { verdict, remaining, granted, until } = current.window;
  const open = verdict === 'Allowed' && at(until) > Date.now();
  const soon = at(until) - Date.now() < 3600000;
  $('window').hidden = current.conversation.state === 'closed';
  $('window').className = `window ${open ? (remaining <= 1 || soon ? 'low' : '') : 'shut'}`;
  if (open) $('window').textContent = `剩余 ${remaining} 条 · ${left(until)}`;
  else $('window').textContent = verdict === 'QuotaSpent' ? '条数已用完,等客户来消息' : '窗口已关闭,等客户来消息';
  $('window').title = `平台限制:客户每次来消息后,48 小时内最多回复 ${granted || 5} 条;进入会话、点菜单、关注或扫码后,1 分钟内最多两三条`;
}

setInterval(showWindow, 10000);

$('back').addEventListener('click', () => show(undefined));

let closeArmed;

function disarmClose() {
  clearTimeout(closeArmed);
  closeArmed = undefined;
  $('close').textContent = '结束会话';
  $('close').classList.remove('danger');
}

$('close').addEventListener('click', async () => {
  if (!closeArmed) {
    $('close').textContent = '确认结束?';
    $('close').classList.add('danger');
    closeArmed = setTimeout(disarmClose, 4000);
    return;
  }
  disarmClose();
  const { id } = current;
  const closed = await attempt(() => api.close(id));
  if (closed) takeConversation(closed);
  poll();
});

$('reviewed').addEventListener('click', async () => {
  const { id } = current;
  await attempt(() => api.reviewed(id));
  items.delete(id);
  if (current && current.id === id) showCurrent();
  listSoon();
});

// --- saying something ---

function say(content) {
  const key = newKey();
  const message = {
    id: `local/${key}`, key, conversation: current.id, direction: 'outbound', sender: 'agent', agent: me.name, content,
    sentAt: new Date().toISOString(), pending: true, delivery: { state: 'queued' },
  };
  current.pending.push(message);
  showCurrent(true);
  deliver(message);
}

async function deliver(message) {
  const place = current;
  const { preview: shown, ...content } = message.content;
  try {
    const said = await api.say(message.conversation, message.key, content);
    place.pending = place.pending.filter((m) => m.key !== message.key);
    if (shown) said.content = { ...said.content, preview: shown };
    if (current && current.id === said.conversation) {
      current.pending = current.pending.filter((m) => m.key !== message.key);
      takeMessage(said);
    }
  } catch (error) {
    message.pending = false;
    message.delivery = { state: 'unsent' };
    toast(explain(error));
    if (current && current.id === message.conversation) showCurrent();
  }
}

// retry hands a message over again, with the same key: if it had arrived after all, it is not sent twice.
function retry(message) {
  message.pending = true;
  message.delivery = { state: 'queued' };
  showCurrent();
  deliver(message);
}

async function sendPicture(file) {
  if (file.size > 2 << 20) {
    toast('图片过大,最多 2 MB');
    return;
  }
  const place = current.id;
  const uploaded = await attempt(() => api.upload(file));
  if (uploaded && current && current.id === place) {
    say({ kind: 'image', media: { id: uploaded.id }, preview: URL.createObjectURL(file) });
  }
}

// --- news ---

function takeFrame(frame) {
  switch (frame.kind) {
    case 'conversation': takeConversation(frame.payload); break;
    case 'message': takeMessage(frame.payload); break;
    case 'delivery': takeDelivery(frame.payload); break;
    case 'complaint': takeComplaint(frame.payload); break;
    case 'case': takeCase(frame); break;
    case 'queue': takeQueueAlert(frame); break;
    case 'window': takeWindow(frame.payload); break;
    case 'late': takeLate(frame); break;
    case 'rating': takeRating(frame.payload); break;
    case 'hidden': listSoon(); break; // A conversation that is another group's now.
  }
}

function takeConversation(c) {
  const item = items.get(c.id);
  const passedBy = c.passedBy || [];
  if (!isMine(c)) unread.delete(c.id);
  if (passedBy.at(-1) === me.name && c.state === 'assigned' && (!item || isMine(item))) toast(`${customerName(c)} 等了太久没有回复,会话已转给 ${c.agent}`);
  if (c.closeReason === 'ChannelGone' && c.agent === me.name && (!item || isMine(item))) toast(`渠道 ${c.channel} 已被删除,与${customerName(c)} 的会话已结束`);
  if (tab === 'mine' && (isMine(c) !== Boolean(item))) {
    if (!item) toast(passedBy.length ? `转来的会话:${customerName(c)},还没有人回复` : `新会话:${customerName(c)}`);
    listSoon();
    pollSoon();
  }
  if (item && item.version <= c.version) {
    items.set(c.id, { ...item, askedSince: undefined, reminded: undefined, late: undefined, tier: undefined, ...c });
    order.sort((a, b) => at(items.get(b).lastMessageAt) - at(items.get(a).lastMessageAt));
    showList();
  }
  if (current && current.id === c.id && current.conversation.version <= c.version) {
    current.conversation = c;
    showCurrent();
    currentSoon();
  }
}

function takeMessage(m) {
  // The customer has a window of their own again, or does not wait any more.
  if (m.sender === 'customer' || m.sender === 'agent') closing.delete(m.conversation);
  const item = items.get(m.conversation);
  if (item && !item.complaint && !item.rating) {
    const content = m.content || {};
    item.lastMessage = { sender: m.sender, kind: content.kind, text: (content.text || '').slice(0, 80), sentAt: m.sentAt };
    if (m.sender === 'customer' && !noted(content)) item.askedSince = item.askedSince || new Date().toISOString();
    if (m.sender === 'agent') item.askedSince = item.reminded = item.late = undefined;
  }
  if (m.sender === 'customer' && !noted(m.content) && !isRead(m.conversation)) unread.set(m.conversation, (unread.get(m.conversation) || 0) + 1);
  if (current && current.id === m.conversation) {
    const index = current.messages.findIndex((other) => other.id === m.id);
    const known = current.messages[index];
    if (known) current.messages[index] = { ...known, ...m, delivery: furthest(known.delivery, m.delivery) };
    else current.messages.push(m);
    current.messages.sort((a, b) => at(a.sentAt) - at(b.sentAt));
    read(m.conversation);
    showCurrent(m.sender === 'agent' && m.agent === me.name);
    currentSoon();
  } else if (current && current.history && current.history.messages.some((other) => other.conversation === m.conversation)) {
    currentSoon();
  }
  showList();
}

// furthest: a message's own frame may come after the news of its delivery.
function furthest(known, next) {
  return known && known.state !== 'queued' ? known : next;
}

function takeDelivery(d) {
  if (!current || current.id !== d.conversation) {
    if (d.state === 'failed' || d.state === 'unknown') toast('有一条回复没有确认送达,请查看会话');
    return;
  }
  const message = current.messages.find((m) => m.id === d.message);
  if (message) message.delivery = d;
  showCurrent();
  currentSoon();
}

function takeComplaint(c) {
  if (tab === 'complaints') listSoon();
  if (c.state === 'escalated') toast('有投诉升级,请到「投诉」查看');
  else if (c.state === 'resolved' && c.followUpOverdue) toast('有投诉超时未回访,请到「投诉」查看');
  if (current && current.id === c.conversation) {
    current.complaint = c;
    showCurrent();
  }
}

// calls are the words for what a case calls for.
const calls = {
  new: (c) => `新工单:${title(c)}`,
  given: (c) => `转给你的工单:${title(c)}`,
  soon: (c) => `工单即将到期:${title(c)}${c.due ? `,请在 ${clock(c.due)} 前完成` : ''}`,
  late: (c) => `工单超时:${title(c)},请到「工单」查看`,
  escalated: (c) => `工单超时升级:${title(c)},请到「工单」查看`,
  refused: (c) => `商家系统未受理:${title(c)},需要人工处理`,
  byHand: (c) => `需要人工处理:${title(c)}`,
  disputed: (c) => `客户对处理结果有异议:${title(c)}`,
  approved: () => '您提出的补偿已通过,可以告知客户,请到「投诉」查看',
  declined: () => '您提出的补偿未通过,请到「投诉」查看',
};

// takeCase tells of a case that calls for somebody: once for each thing that happened. What comes late itself is no news any more.
function takeCase({ payload: c, at: told }) {
  if (c.kind === 'review') {
    if (tab === 'reviews') listSoon();
    if (current && current.id === c.conversation) loadJudgement();
    if (c.owner !== me.name) return; // Who is judged finds it in their list.
  }
  if (tab === 'cases') listSoon();
  if (pane.name === nameOf(c.id)) caseSoon();
  if (current && (current.id === c.conversation || current.conversation.customer === c.customer)) currentSoon();
  if (Date.now() - at(told) > 60000) return;
  const call = callOf(c, me.name);
  if (call) toast(calls[call](c));
}

function takeRating(r) {
  if (tab === 'ratings') listSoon();
  toast(`${customerName(r)} 的评价:${rated(r)},请到「差评」查看`);
}

// takeQueueAlert tells of a queue that became too long. What comes late, after a time without a connection, is no news any more.
function takeQueueAlert({ payload, at: raised }) {
  pollSoon();
  if (Date.now() - at(raised) > 60000) return;
  toast(`${groupName(payload)}排队 ${payload.waiting} 人,请尽快接待`);
  alarm();
}

// takeWindow tells of a customer who waits and can soon be given no answer. What came too late is no news.
function takeWindow({ conversation, customer, until }) {
  if (at(until) <= Date.now()) return;
  closing.set(conversation, until);
  toast(`${customerName({ customer })} 在等回复,${left(until)} 后将无法回复`);
  alarm();
  showList();
}

// takeLate tells of a customer who waits for too long. What comes late itself is no news any more.
function takeLate({ payload, at: told }) {
  const item = items.get(payload.conversation);
  const first = payload.promise === 'FirstResponse';
  const unsolved = payload.promise === 'Resolution';
  if (item && !unsolved) {
    item[first ? 'late' : 'reminded'] = true;
    showList();
  }
  if (Date.now() - at(told) > 60000) return;
  const wait = span((Date.now() - at(payload.since)) / 1000);
  if (unsolved) {
    toast(`${groupName(payload)}的${customerName(payload)} 的问题已过 ${wait},还没有解决`);
    return;
  }
  toast(first ? `${groupName(payload)}的${customerName(payload)} 等了 ${wait},还没有人工回复` : `${customerName(payload)} 等了 ${wait},还没有回复`);
  if (first) alarmSoon();
}

let alarmed = 0;

// alarmSoon alarms, but not for each of many who wait.
function alarmSoon() {
  if (Date.now() - alarmed < 60000) return;
  alarmed = Date.now();
  alarm();
}

// --- start ---

api.me().then(signedIn, (error) => {
  askForToken();
  if (!(error instanceof Refused)) $('sign-in-error').textContent = explain(error);
});
