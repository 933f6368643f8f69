// node crypto.js <package>: encrypts, decrypts and signs by that package.
import { createRequire } from 'node:module';
import { serve } from './lines.js';

const require = createRequire(import.meta.url);

const packages = {
  'wechat-crypto': () => {
    const Crypt = require('wechat-crypto');
    const of = (q) => new Crypt(q.token, q.key, q.id);
    return {
      sign: (q) => of(q).getSignature(q.timestamp, q.nonce, q.encrypted),
      encrypt: (q) => of(q).encrypt(q.message),
      decrypt: (q) => of(q).decrypt(q.encrypted),
    };
  },
  '@wecom/crypto': () => {
    const { getSignature, encrypt, decrypt } = require('@wecom/crypto');
    return {
      sign: (q) => getSignature(q.token, q.timestamp, q.nonce, q.encrypted),
      encrypt: (q) => encrypt(q.key, q.message, q.id),
      decrypt: (q) => {
        const { message, id } = decrypt(q.key, q.encrypted);
        return { message, id };
      },
    };
  },
  'node-easywechat': () => {
    const Encryptor = require('node-easywechat/dist/Core/Encryptor');
    const of = (q) => new Encryptor(q.id, q.token, q.key);
    const sign = (q) => of(q).createSignature(q.token, q.timestamp, q.nonce, q.encrypted);
    return {
      sign,
      encrypt: (q) => /<Encrypt>(?:<!\[CDATA\[)?([^<\]]+)/.exec(of(q).encrypt(q.message, q.nonce, q.timestamp))[1],
      decrypt: (q) => ({ message: of(q).decrypt(q.encrypted, sign(q), q.nonce, q.timestamp), id: q.id }),
    };
  },
};

const peer = packages[process.argv[2]]();
await serve((q) => peer[q.op](q));
