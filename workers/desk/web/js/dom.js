// Small helpers. Text goes into the page as text and nothing else: customers write what they like.

export const $ = (id) => document.getElementById(id);

// el makes an element; children are elements or texts.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key === 'class') node.className = value;
    else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== ''));
  return node;
}

const two = (n) => String(n).padStart(2, '0');

// clock is a time as people read it: today's without the date.
export function clock(value) {
  const then = new Date(value);
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  const sameDay = then.toDateString() === new Date().toDateString();
  return sameDay ? time : `${then.getMonth() + 1}月${then.getDate()}日 ${time}`;
}

// at is a time as a number: the server's texts have more or fewer digits and do not compare.
export const at = (value) => (value ? Date.parse(value) : 0);

// left is the time until then as people say it.
export function left(until) {
  const minutes = Math.max(0, Math.ceil((new Date(until) - Date.now()) / 60000));
  if (minutes < 60) return `${minutes} 分钟`;
  return `${Math.floor(minutes / 60)} 小时${minutes % 60 ? ` ${minutes % 60} 分` : ''}`;
}

// span is so many seconds as people say them.
export function span(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} 秒`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} 分钟` : `${Math.floor(seconds / 3600)} 小时`;
}

// newKey is a random UUID. crypto.randomUUID exists only on https; getRandomValues is everywhere.
export function newKey() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = [...b].map((x) => x.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

let toastTimer;

// quiet takes the note away that is shown, if any.
export function quiet() {
  $('toast').hidden = true;
}

// toast shows a short note.
export function toast(text) {
  $('toast').textContent = text;
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, 5000);
}

let audio;

// alarm vibrates and beeps twice, where the browser lets it.
export function alarm() {
  if (navigator.vibrate) navigator.vibrate([200, 100, 200]);
  if (!window.AudioContext) return;
  audio = audio || new AudioContext();
  audio.resume().catch(() => {});
  for (const wait of [0, 0.3]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    volume.gain.value = 0.15;
    tone.frequency.value = 880;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + wait);
    tone.stop(audio.currentTime + wait + 0.15);
  }
}
