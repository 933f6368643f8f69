// How a file is shown, by its type. The desk sends files of these types to be shown or played, and all others to be saved.

const tags = { image: 'img', video: 'video', audio: 'audio' };
const shown = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'video/mp4', 'video/quicktime', 'video/webm', 'audio/mpeg', 'audio/wave'];

// tagOf is the element that shows a file of a type; undefined for one that is there to be saved.
export const tagOf = (type) => (shown.includes(type) ? tags[type.split('/')[0]] : undefined);
