// The socket that brings news. It connects again by itself and asks for what came after the last frame that it had.

const firstWait = 500;
const longestWait = 10000;

export class Stream {
  // on has: frame(frame), reset(), up(), down(), signedOut().
  constructor(on) {
    this.on = on;
    this.last = undefined;
    this.wait = firstWait;
    this.stopped = false;
    this.connect();
  }

  connect() {
    const address = new URL('/api/stream', location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    if (this.last !== undefined) address.searchParams.set('after', this.last);
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener('message', (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener('close', (event) => this.closed(socket, event.code));
  }

  take(frame) {
    switch (frame.kind) {
      case 'hello':
        this.wait = firstWait;
        this.on.up();
        // The first time there is nothing to resume: all lists are read now, and frames count from here.
        if (this.last === undefined) {
          this.last = frame.seq;
          this.on.reset();
        }
        break;
      case 'reset':
        this.last = frame.seq;
        this.on.reset();
        break;
      default:
        this.last = frame.seq;
        this.on.frame(frame);
    }
  }

  closed(socket, code) {
    if (this.stopped || socket !== this.socket) return;
    this.on.down();
    if (code === 1008) {
      this.stop();
      this.on.signedOut();
      return;
    }
    this.timer = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, longestWait);
  }

  // suspect is called when the network seems to be gone, which a silent socket does not notice by itself.
  suspect() {
    const socket = this.socket;
    if (this.stopped || socket.readyState !== WebSocket.OPEN) return;
    this.socket = undefined;
    socket.close();
    this.closed(undefined, 1006);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.socket) this.socket.close();
  }
}
