// The card on which a conversation is judged, and what became of that.

import { clock, el } from './dom.js';
import { api } from './api.js';

const aspects = [['scriptNorms', '话术规范'], ['attitude', '服务态度'], ['expertise', '业务能力']];
const reasons = { sample: '抽检', slow: '回复过慢', rating: '差评' };
const names = { pending: '待质检', scored: '已质检', appealed: '申诉待裁决', upheld: '申诉驳回', changed: '申诉改判' };

// standing is where a judgement stands, in few words.
export const standing = (j) => `${names[j.state]}${j.overdue && j.due ? '(已超时)' : ''}`;

// total is what counts in the end, in few words.
export function total(j) {
  const last = j.scores.at(-1);
  return last ? aspects.map(([name, label]) => `${label} ${last[name]}`).join(' · ') : j.reasons.map((r) => reasons[r] || r).join('、');
}

// choices ask for one score per aspect; what was given before is chosen.
function choices(before) {
  return aspects.map(([name, label]) => el('label', {}, label, el('select', { name, required: true },
    ...[5, 4, 3, 2, 1].map((n) => el('option', { value: String(n), selected: before ? before[name] === n : n === 5 }, String(n))))));
}

const chosen = (form) => Object.fromEntries(aspects.map(([name]) => [name, Number(form.elements[name].value)]));

// ask is a form that sends what was filled in.
function ask(parts, label, attempt, send, changed) {
  const button = el('button', { class: 'primary', type: 'submit' }, label);
  const form = el('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      if (await attempt(() => send(form))) changed();
      else button.disabled = false;
    },
  }, ...parts, button);
  return form;
}

const line = (label, required) => el('input', { name: 'words', 'aria-label': label, placeholder: label, maxlength: '1000', required });

// step is what the agent may do next, if anything.
function step(j, me, attempt, changed) {
  const supervises = me.role !== 'Agent' && j.agent !== me.name && (!j.reviewer || j.reviewer === me.name || me.role === 'Admin');
  const id = j.conversation;
  if (j.state === 'pending' && supervises) {
    return ask([...choices(), line('评语', false)], '提交评分', attempt, (form) => api.judge(id, { ...chosen(form), comment: form.elements.words.value }), changed);
  }
  if (j.state === 'scored' && j.agent === me.name) {
    return ask([line('申诉理由(质检后 7 天内可申诉一次)', true)], '申诉', attempt, (form) => api.appeal(id, form.elements.words.value), changed);
  }
  if (j.state === 'appealed' && supervises && j.scores[0].by !== me.name) {
    const before = j.scores[0];
    const same = (scores) => aspects.every(([name]) => scores[name] === before[name]);
    return ask([...choices(before), line('裁决说明(分数不变即驳回)', true)], '裁决', attempt, (form) => {
      const scores = chosen(form);
      return api.decideAppeal(id, { comment: form.elements.words.value, ...(same(scores) ? {} : { scores }) });
    }, changed);
  }
  return undefined;
}

// showJudgement fills the card. It is built anew only when the judgement changes, so that nobody loses what they type.
export function showJudgement(box, j, me, attempt, changed) {
  box.hidden = !j;
  const mark = j ? JSON.stringify(j) : '';
  if (box.dataset.mark === mark) return;
  box.dataset.mark = mark;
  if (!j) return;
  const due = j.due ? ` · 请在 ${clock(j.due)} 前完成` : '';
  const parts = [el('p', {}, el('strong', {}, standing(j)), ` · ${j.reasons.map((r) => reasons[r] || r).join('、')}${j.agent ? '' : ' · 没有客服接待过,评的是服务流程'}${j.reviewer && j.due ? ` · ${j.reviewer}` : ''}${due}`)];
  j.scores.forEach((score, i) => {
    const what = aspects.map(([name, label]) => `${label} ${score[name]}`).join(' · ');
    parts.push(el('p', { class: 'score' }, `${i ? '裁决' : '评分'}(${score.by},${clock(score.at)}):${what}${score.comment ? ` —— ${score.comment}` : ''}`));
    if (!i && j.appeal) parts.push(el('p', { class: 'score' }, `申诉(${j.agent},${clock(j.appealedAt)}):${j.appeal}`));
  });
  const next = step(j, me, attempt, changed);
  if (next) parts.push(next);
  box.replaceChildren(...parts);
}
