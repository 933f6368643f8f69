// node clients.js <package> <config>: calls the platform by that package.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { serve } from './lines.js';

const require = createRequire(import.meta.url);
const config = JSON.parse(process.argv[3]);

// refused turns an answer with a code into an error, as the packages do that look at it themselves.
const refused = (answer) => {
  if (answer?.errcode) throw Object.assign(new Error(answer.errmsg), { code: answer.errcode });
  return answer;
};

const easywechat = (name) => () => {
  const Application = require('node-easywechat')[name];
  const FileCache = require('node-easywechat/dist/Core/Cache/FileCache');
  const app = new Application({
    app_id: config.appid, secret: config.secret, use_stable_access_token: true, http: { baseURL: config.url },
  });
  app.setCache(new FileCache({ path: config.folder, fileMode: 0o600, ext: '.cache' }));
  const post = async (path, body) => refused((await app.getClient().postJson(path, body)).toObject());
  const get = async (path, params) => (await app.getClient().get(path, { params })).toObject();
  return {
    text: ({ to, content }) => post('/cgi-bin/message/custom/send', { touser: to, msgtype: 'text', text: { content } }),
    image: ({ to, media }) => post('/cgi-bin/message/custom/send', { touser: to, msgtype: 'image', image: { media_id: media } }),
    typing: ({ to }) => post('/cgi-bin/message/custom/typing', { touser: to, command: 'Typing' }),
    upload: async ({ file }) => refused((await app.getClient().request('POST', '/cgi-bin/media/upload', {
      params: { type: 'image' }, formData: { media: createReadStream(file) },
    })).toObject()),
    createMenu: ({ menu }) => post('/cgi-bin/menu/create', menu),
    getMenu: async () => refused(await get('/cgi-bin/menu/get')),
    removeMenu: async () => refused(await get('/cgi-bin/menu/delete')),
    user: async ({ to }) => refused(await get('/cgi-bin/user/info', { openid: to, lang: 'zh_CN' })),
    template: ({ to, template, data }) => post('/cgi-bin/message/template/send', { touser: to, template_id: template, data }),
  };
};

const packages = {
  'co-wechat-api': () => {
    const API = require('co-wechat-api');
    const api = new API(config.appid, config.secret);
    api.prefix = `${config.url}/cgi-bin/`;
    return {
      text: ({ to, content }) => api.sendText(to, content),
      image: ({ to, media }) => api.sendImage(to, media),
      news: ({ to, articles }) => api.sendNews(to, articles),
      upload: ({ file }) => api.uploadImageMedia(file),
      createMenu: ({ menu }) => api.createMenu(menu),
      getMenu: () => api.getMenu(),
      removeMenu: () => api.removeMenu(),
      user: ({ to }) => api.getUser(to),
      template: ({ to, template, data }) => api.sendTemplate(to, template, '', '', data),
      qrcode: ({ scene }) => api.createLimitQRCode(scene),
    };
  },
  'wechat-api': () => {
    const API = require('wechat-api');
    const api = new API(config.appid, config.secret);
    api.endpoint = config.url;
    const call = (name, ...args) => promisify(api[name].bind(api))(...args);
    return {
      text: ({ to, content }) => call('sendText', to, content),
      image: ({ to, media }) => call('sendImage', to, media),
      news: ({ to, articles }) => call('sendNews', to, articles),
      upload: ({ file }) => call('uploadMedia', file, 'image'),
      createMenu: ({ menu }) => call('createMenu', menu),
      getMenu: () => call('getMenu'),
      removeMenu: () => call('removeMenu'),
      user: ({ to }) => call('getUser', to),
      template: ({ to, template, data }) => call('sendTemplate', to, template, '', '', data),
      qrcode: ({ scene }) => call('createLimitQRCode', scene),
    };
  },
  'node-easywechat OfficialAccount': easywechat('OfficialAccount'),
  'node-easywechat MiniApp': easywechat('MiniApp'),
};

const api = packages[process.argv[2]]();
await serve(({ call, args }) => api[call](args ?? {}));
