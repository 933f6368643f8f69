// Makes photos small enough before they are sent; without it those that are too large are refused. What the page can see to be wrong it
// says before anything is sent: photos and videos would have to be chosen again.

const most = 6;
const longest = 1600;
const large = 1 << 20;
const longestVideo = 20 << 20;

const input = document.getElementById('photos');
const form = input && input.form;

// smaller is a photo whose longer side has at most so many pixels. One that cannot be read here is left as it is.
async function smaller(file) {
  if (file.size <= large || file.type === 'image/gif') return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', 0.85); });
    return blob && blob.size < file.size ? new File([blob], 'photo.jpg', { type: 'image/jpeg' }) : file;
  } catch {
    return file;
  }
}

if (form) {
  const button = form.querySelector('button');
  const note = document.getElementById('chosen');
  let choice = 0;
  input.addEventListener('change', async () => {
    choice += 1;
    const mine = choice;
    button.disabled = true;
    try {
      const kept = new DataTransfer();
      for (const file of [...input.files].slice(0, most)) kept.items.add(await smaller(file));
      if (mine !== choice) return; // Others were chosen meanwhile.
      note.textContent = input.files.length > most ? `已选 ${most} 张,其余未上传` : `已选 ${kept.files.length} 张`;
      input.files = kept.files;
    } finally { // Where it cannot be done the photos go as they are.
      if (mine === choice) button.disabled = false;
    }
  });
  const { video, paid, amount, delivered } = form.elements;
  const weigh = () => {
    const [chosen] = video.files;
    const none = !paid && !chosen && !input.files.length; // What is asked for is evidence alone.
    video.setCustomValidity(chosen && chosen.size > longestVideo ? '视频过大,最多 20 MB,请缩短后重新选择' : none ? '请选择照片或视频' : '');
  };
  form.addEventListener('change', weigh);
  weigh();
  if (paid) {
    const check = () => {
      amount.setCustomValidity(amount.value && paid.value && Number(amount.value) > Number(paid.value) ? '退款金额不能超过实付金额' : '');
      delivered.setCustomValidity(delivered.value > delivered.max ? '签收日期不能晚于今天,还没有签收请不填' : '');
    };
    form.addEventListener('input', check);
    check();
  }
}

for (const each of document.forms) {
  const button = each.querySelector('button');
  each.addEventListener('submit', () => { button.disabled = true; });
  window.addEventListener('pageshow', () => { button.disabled = false; });
}
