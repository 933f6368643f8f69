// The dialog that writes down what was promised to a customer, and until when.

import { $, el, newKey } from './dom.js';
import { api } from './api.js';

const presets = { WithinHour: '1 小时内', Today: '今天内(下班前)', Within24Hours: '24 小时内', TomorrowNoon: '明天中午前', '': '其他时间' };

// askForPromise calls made with the case of what was promised.
export function askForPromise(id, attempt, made) {
  const dialog = $('new-promise');
  const what = el('textarea', { rows: '2', required: true, maxlength: '500', placeholder: '例如:查物流并回复' });
  const preset = el('select', {}, ...Object.entries(presets).map(([value, name]) => el('option', { value }, name)));
  const due = el('input', { type: 'datetime-local' });
  const own = el('label', { hidden: true }, '时间', due);
  preset.addEventListener('change', () => { own.hidden = preset.value !== ''; due.required = !own.hidden; });
  const submit = el('button', { class: 'primary', type: 'submit' }, '记下承诺');
  const key = newKey();
  dialog.replaceChildren(el('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      const until = preset.value ? { preset: preset.value } : { due: new Date(due.value).toISOString() };
      const owed = await attempt(() => api.promise(id, { key, what: what.value.trim(), ...until }));
      submit.disabled = false;
      if (!owed) return;
      dialog.close();
      made(owed);
    },
  }, el('h2', {}, '记承诺'), el('label', {}, '答应了客户什么', what), el('label', {}, '什么时候之前', preset), own,
  el('div', { class: 'row' }, submit, el('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, '取消'))));
  dialog.showModal();
}
