// Messages as bubbles.

import { clock, el, toast } from './dom.js';
import { api, explain, mediaURL } from './api.js';

const failures = {
  WindowClosed: '已超过可回复时限,需等客户再次来消息',
  QuotaSpent: '可发送条数已用完,需等客户再次来消息',
  ChannelGone: '渠道已被删除',
  BlockedByCustomer: '客户拒收通知,请用其他方式联系',
  PlatformFailed: '平台未能送达通知,请用其他方式联系',
  ThumbMissing: '卡片缺少封面',
  FileMissing: '图片不存在',
  TypeNotSupported: '渠道不支持这种消息',
};

const retries = 5;
const retryAfter = 3000;

// state says what became of an outbound message.
function state(delivery) {
  switch (delivery && delivery.state) {
    case undefined: return ['', ''];
    case 'delivered': return ['已送达', ''];
    case 'deferred': return ['发送中(平台繁忙,稍后重试)', 'warn'];
    case 'failed': return [`发送失败:${failures[delivery.reason] || [delivery.reason, delivery.code].filter(Boolean).join(' ') || '平台拒绝'}`, 'bad'];
    case 'unknown': return ['状态未知:可能已送达,请向客户确认后再决定是否重发', 'warn'];
    case 'superseded': return ['未发送:客服已接待,排队提示不再需要', ''];
    case 'unsent': return ['未发出', 'bad'];
    default: return ['发送中', ''];
  }
}

// loaded shows a file by the element that make makes. One that is still being fetched from the platform is asked for again.
function loaded(name, make) {
  const box = el('span');
  let tries = 0;
  const load = () => {
    const shown = make();
    shown.addEventListener('error', () => {
      tries += 1;
      box.replaceChildren(tries < retries ? `[${name}加载中……]` : `[${name}无法加载]`);
      if (tries < retries) setTimeout(load, retryAfter);
    });
    box.replaceChildren(shown);
  };
  load();
  return box;
}

const picture = (src) => loaded('图片', () => el('img', { alt: '图片', src }));
const video = (src) => loaded('视频', () => el('video', { src, controls: true, preload: 'metadata', 'aria-label': '视频' }));

// saver is a button that saves a file: browsers do not play the voice that WeChat records, nor every video.
function saver(message, name) {
  const { media } = message.content;
  if (!media) return '';
  const save = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const address = URL.createObjectURL(await api.file(media.id, message.conversation));
      el('a', { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    } catch (error) {
      toast(explain(error));
    }
    button.disabled = false;
  };
  return el('button', { type: 'button', class: 'save', onclick: save }, '下载');
}

const isWeb = (address) => /^https?:\/\//i.test(address || '');

function body(message) {
  const c = message.content || {};
  switch (c.kind) {
    case 'text': return [c.text || ''];
    case 'image': return [c.preview || c.media ? picture(c.preview || mediaURL(c.media.id, message.conversation)) : '[图片]'];
    case 'link': {
      const link = c.link || {};
      // An address without its end is the customer's own.
      const title = isWeb(link.url) && !link.url.endsWith('…') ? el('a', { href: link.url, target: '_blank', rel: 'noopener noreferrer nofollow' }, link.title || link.url) : link.title || '';
      return [title, link.description ? `\n${link.description}` : '', el('span', { class: 'address' }, link.url || '')];
    }
    case 'miniProgramPage': {
      const page = c.page || {};
      const thumb = page.thumb ? picture(mediaURL(page.thumb.id, message.conversation)) : '';
      return [thumb, `小程序页面:${page.title || ''}`, el('span', { class: 'address' }, page.path || '')];
    }
    case 'voice': return [c.text ? `[语音] ${c.text}` : '[语音]', saver(message, '语音.amr')];
    case 'video': return [c.media ? video(mediaURL(c.media.id, message.conversation)) : '[视频]', saver(message, '视频.mp4')];
    case 'location': {
      const place = c.location || {};
      return [`[位置] ${place.label || ''}`, el('span', { class: 'address' }, `${place.latitude}, ${place.longitude}`)];
    }
    case 'notice': return [`[通知] ${c.text || ''}`];
    case 'menuTap': return [`[点击菜单] ${c.menuKey || ''}`];
    default: return [`[暂不支持的消息类型:${c.rawType || c.kind || '未知'}]`];
  }
}

const senders = { bot: '机器人', system: '系统' };

const notes = { entered: '客户进入会话', followed: '客户关注了公众号', unfollowed: '客户取消了关注,消息无法再送达', scanned: '客户扫描了二维码', channelGone: '渠道已被删除,会话就此结束' };
const events = { VIEW: '客户打开了菜单中的网页', view_miniprogram: '客户打开了菜单中的小程序' };

// noted is what a customer did without saying anything, or what the platform tells of them; undefined for a message.
export function noted({ kind, rawType = '' } = {}) {
  if (kind !== 'unsupported' || !/^event(\/|$)/.test(rawType)) return notes[kind];
  const name = rawType.slice('event/'.length);
  return events[name] || `平台事件${name && `:${name}`}`;
}

// render makes the element of a message. retry is called for one that could not be handed over.
export function render(message, me, retry) {
  const note = noted(message.content);
  if (note) return el('p', { class: 'note' }, `${clock(message.sentAt)} ${note}`);
  const out = message.direction === 'outbound';
  const [label, tone] = out ? state(message.delivery) : ['', ''];
  const who = senders[message.sender] || (message.sender === 'agent' && message.agent !== me ? message.agent : '');
  const classes = ['message', out && 'out', message.sender === 'bot' && 'bot', message.pending && 'pending'].filter(Boolean).join(' ');
  return el('article', { class: classes },
    el('div', { class: 'bubble' }, ...body(message)),
    el('div', { class: 'under' }, who && el('span', {}, who), el('time', { datetime: message.sentAt }, clock(message.sentAt)),
      label && el('span', { class: `state ${tone}` }, label),
      message.delivery && message.delivery.state === 'unsent' ? el('button', { type: 'button', onclick: retry }, '重试') : ''));
}

// preview is a message in one line.
export function preview(last) {
  if (!last) return '';
  const texts = {
    ...notes, text: last.text, image: '[图片]', link: '[链接]', miniProgramPage: '[小程序页面]',
    voice: '[语音]', video: '[视频]', location: '[位置]', menuTap: '[点击菜单]', notice: '[通知]',
  };
  const text = texts[last.kind] ?? '[消息]';
  return last.sender === 'customer' ? text : `${senders[last.sender] || '客服'}:${text}`;
}
