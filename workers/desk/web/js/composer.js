// The reply box: text, canned replies and pictures.

import { $, el } from './dom.js';

const mostBytes = 2048;
const typingEvery = 3000;

const bytes = (text) => new TextEncoder().encode(text).length;

export class Composer {
  // on has: text(text), picture(file), typing().
  constructor(on) {
    this.on = on;
    this.replies = [];
    this.chosen = 0;
    this.typed = 0;
    this.drafts = new Map();
    this.box = $('text');
    this.box.addEventListener('input', () => this.changed());
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('paste', (event) => this.paste(event));
    $('reply').addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
    $('file').addEventListener('change', () => {
      for (const file of $('file').files) this.on.picture(file);
      $('file').value = '';
    });
    $('canned-button').addEventListener('click', () => {
      const shown = !$('canned').hidden;
      this.box.focus();
      if (shown) this.hide();
      else this.offer(this.replies);
    });
  }

  // open shows the draft of a conversation.
  open(id, replies) {
    this.keep();
    this.id = id;
    this.replies = replies;
    this.box.value = this.drafts.get(id) || '';
    this.changed(true);
  }

  keep() {
    if (this.id) this.drafts.set(this.id, this.box.value);
  }

  changed(silent) {
    const size = bytes(this.box.value);
    const over = size > mostBytes;
    $('count').textContent = over ? `超出 ${size - mostBytes} 字节` : '';
    $('count').classList.toggle('bad', over);
    $('send').disabled = over || this.box.value.trim() === '';
    const code = /^#(\w*)$/.exec(this.box.value.trim());
    if (code) this.offer(this.replies.filter((reply) => reply.code.toLowerCase().startsWith(code[1].toLowerCase())));
    else this.hide();
    if (!silent && !code && this.box.value.trim() && Date.now() - this.typed > typingEvery) {
      this.typed = Date.now();
      this.on.typing();
    }
  }

  offer(replies) {
    this.offered = replies;
    this.chosen = 0;
    $('canned').hidden = false;
    if (!replies.length) {
      $('canned').replaceChildren(el('li', { role: 'option', 'aria-disabled': 'true' }, '没有匹配的快捷回复'));
      return;
    }
    $('canned').replaceChildren(...replies.map((reply, i) => el('li', {
      id: `canned-${i}`, role: 'option', 'aria-selected': String(i === 0), onmousedown: (event) => { event.preventDefault(); this.use(reply); },
    }, el('b', {}, `#${reply.code}`), reply.title ? `${reply.title} — ` : '', reply.text)));
    this.box.setAttribute('aria-activedescendant', 'canned-0');
  }

  hide() {
    $('canned').hidden = true;
    this.offered = [];
    this.box.removeAttribute('aria-activedescendant');
  }

  move(by) {
    const options = [...$('canned').children];
    this.chosen = (this.chosen + by + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute('aria-selected', String(i === this.chosen)));
    options[this.chosen].scrollIntoView({ block: 'nearest' });
    this.box.setAttribute('aria-activedescendant', `canned-${this.chosen}`);
  }

  use(reply) {
    this.box.value = reply.text;
    this.changed();
    this.box.focus();
  }

  key(event) {
    // Enter ends a word of an input method, too.
    if (event.isComposing || event.keyCode === 229) return;
    const offering = !$('canned').hidden && this.offered.length > 0;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (offering && steps[event.key]) {
      event.preventDefault();
      this.move(steps[event.key]);
    } else if (offering && (event.key === 'Enter' || event.key === 'Tab')) {
      event.preventDefault();
      this.use(this.offered[this.chosen]);
    } else if (event.key === 'Escape') {
      this.hide();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  paste(event) {
    for (const item of event.clipboardData.items) {
      if (item.kind === 'file' && item.type.startsWith('image/')) {
        event.preventDefault();
        this.on.picture(item.getAsFile());
      }
    }
  }

  submit() {
    const text = this.box.value;
    if ($('send').disabled) return;
    this.box.value = '';
    this.changed(true);
    this.on.text(text);
  }
}
