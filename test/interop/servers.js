// node servers.js <package> <config>: a callback server by that package. It says where it listens, then every message that it
// took in. It answers the text "transfer" by handing the customer over, "ask" and every subscribe by a text, the rest by nothing.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { say } from './lines.js';

const require = createRequire(import.meta.url);
const config = JSON.parse(process.argv[3]);

const transfer = 'transfer_customer_service';
const answerTo = (message) => {
  say({ message });
  if (message.Content === 'transfer') return transfer;
  return message.Content === 'ask' || message.Event === 'subscribe' ? '您好 & 欢迎' : '';
};

// easywechat is the server of one of node-easywechat's applications.
const easywechat = (name) => {
  const Application = require('node-easywechat')[name];
  const ServerRequest = require('node-easywechat/dist/Core/Http/ServerRequest');
  return async (req, res) => {
    const app = new Application({ app_id: config.appid, secret: 'unused', token: config.token, aes_key: config.encodingAESKey });
    app.setRequest(await ServerRequest.createFromIncomingMessage(req));
    const server = app.getServer();
    server.with((message, next) => {
      const answer = answerTo(message.attributes ?? message);
      return answer === transfer ? { MsgType: transfer } : answer || next(message);
    });
    const response = await server.serve();
    res.statusCode = response.getStatusCode();
    res.end(String(response.getBody() ?? ''));
  };
};

const packages = {
  'co-wechat': () => {
    const Koa = require('koa');
    const app = new Koa();
    app.silent = true;
    app.use(require('co-wechat')(config).middleware(async (message) => {
      const answer = answerTo(message);
      return answer === transfer ? { type: 'customerService' } : answer;
    }));
    return app.callback();
  },
  wechat: () => {
    const handle = require('wechat')(config, (req, res) => {
      const answer = answerTo(req.weixin);
      return answer === transfer ? res.transfer2CustomerService() : res.reply(answer);
    });
    return (req, res) => {
      req.query = Object.fromEntries(new URL(req.url, 'http://localhost').searchParams);
      handle(req, res, (error) => {
        res.statusCode = 500;
        res.end(error?.name ?? '');
      });
    };
  },
  'node-easywechat OfficialAccount': () => easywechat('OfficialAccount'),
  'node-easywechat MiniApp': () => easywechat('MiniApp'),
};

const listener = packages[process.argv[2]]();
const server = createServer((req, res) => {
  Promise.resolve(listener(req, res)).catch((error) => {
    res.statusCode = 500;
    res.end(String(error?.message ?? error));
  });
});
server.listen(0, '127.0.0.1', () => say({ url: `http://127.0.0.1:${server.address().port}/` }));
process.stdin.resume().on('end', () => process.exit(0));
