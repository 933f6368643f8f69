// The desk's HTTP API.

// Refused is an answer other than yes. reason is the end of the problem's type.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `HTTP ${status}`);
    this.status = status;
    this.reason = (problem.type || '').split(':').pop();
  }
}

const reasons = {
  WrongToken: '令牌不正确',
  TooManyFailures: '尝试次数过多,请稍后再试',
  Closed: '会话已经结束',
  NotYours: '会话由其他同事接待',
  NotAssigned: '会话还没有分配',
  ChannelGone: '渠道已被删除',
  WindowClosed: '已超过平台的可回复时限,需等客户再次来消息',
  QuotaSpent: '平台允许的条数已用完,需等客户再次来消息',
  TextTooLong: '内容过长,最多 2048 字节(约 682 个汉字)',
  BadContent: '内容为空或含有无法发送的字符',
  NoPicture: '只能发送 PNG、JPEG、GIF 图片',
  NoSuchPicture: '图片已失效,请重新上传',
  NoSuchConversation: '没有这个会话,或没有权限查看',
  AlreadyResolved: '投诉已经解决',
  AlreadyFollowedUp: '已经回访过',
  NotResolved: '请先解决投诉再回访',
  NotDueYet: '解决结果正在记录,请稍后再试',
  SupervisorsOnly: '只有主管可以操作',
  NothingToReview: '已经复核过',
  NoJudgement: '这个会话没有被抽检',
  AlreadyScored: '已经质检过',
  NotYourReview: '这个会话由其他主管质检',
  OwnConversation: '不能质检自己的会话',
  OwnJudgement: '申诉由其他主管裁决',
  NotYourConversation: '只能申诉自己的会话',
  NotScored: '还没有质检',
  AlreadyAppealed: '已经申诉过',
  TooLate: '质检已超过 7 天,不能再申诉',
  AlreadyDecided: '申诉已经裁决',
  NotAppealed: '没有申诉',
  NoSuchWeek: '没有这一周的报告',
  NoSuchTier: '没有这个客户级别',
  NoSuchCase: '没有这个工单,或没有权限查看',
  NotPossible: '现在不能这样操作,工单的状态可能已经变化',
  CaseChanged: '工单刚刚被其他同事更新,请查看后再操作',
  WrongState: '现在不能这样操作,工单的状态可能已经变化',
  UnderWay: '商家系统正在处理,请等待结果',
  NoteMissing: '请填写说明',
  TrackingMissing: '请填写快递单号',
  ReferenceMissing: '请填写流水号或凭证号',
  EvidenceMissing: '请选择凭证',
  InspectionIncomplete: '请逐项检查,有不符合的请选择验货不通过',
  OwnerMissing: '请填写转交给谁',
  AmountTooHigh: '金额超过了订单还可以退的金额',
  Contradictory: '商品不寄回就没有寄回的运费:请勾选需要寄回商品,或不选运费',
  FreightMissing: '请填写退还客户的运费,不退请填 0',
  FreightTooHigh: '运费超过了可退的上限',
  FreightTwice: '这件包裹的运费已在另一个售后单退还,这里请填 0',
  BadFreight: '请填写正确的运费',
  BadDue: '请选择 30 天内、晚于现在的时间',
  TooMuchOwed: '这个客户的未完成事项过多,请先处理',
  Ended: '已经结束,不能再操作',
  NotYours: '由其他同事负责,请主管转交给你',
  NotPostponable: '已告知客户回复时间,不能延期',
  OutsideGroup: '只能转交给本组同事,转给其他组请找主管',
  UnknownAction: '这类工单没有这个操作',
  NoSuchAgent: '没有这个客服,请填写客服的名称',
  NeedsReasonCode: '请选择客户不满意的原因',
  NeedsNote: '请填写说明',
  NeedsOwner: '请填写转交给谁',
  NoCompensation: '品牌没有开放补偿',
  KindNotOffered: '品牌不提供这种补偿',
  NoWorth: '请填写金额',
  AboveAllLimits: '超过了所有人的补偿额度',
  AboveLimit: '超过了你的审批额度,请上级审批',
  OwnOffer: '不能审批自己提出的补偿',
  OfferWaits: '有一项补偿还在等审批,请先批准、驳回或撤回',
  NobodyDecides: '没有人有权审批这个金额,请联系管理员',
  KeyUsed: '操作重复提交,请刷新后再试',
  TooManyOffers: '这个投诉的补偿次数过多',
  TooManyUnsent: '未发送的图片过多,请稍后再试',
  Busy: '图片传输繁忙,请稍后重试',
  NotFetchedYet: '文件还在下载,请稍后再试',
  FileLost: '平台没有给出这个文件,无法下载',
  NoProvider: '商家系统没有接入,请到商家系统里查询',
  NoSuchOrder: '商家系统里没有这个订单号',
  ProviderFailed: '商家系统没有回应,请稍后再试',
  BadOrder: '请填写正确的订单号',
  BadAddress: '请填写收件人、电话和新地址,每项一行',
  MoneyGranted: '这个订单已有售后单同意退款,不能再取消',
  OrderCancelled: '这个订单已取消或正在取消,退款随之退回',
  TryAgain: '系统繁忙,请稍后重试',
};

// explain says in Chinese why something did not work.
export function explain(error) {
  if (!(error instanceof Refused)) return '网络不通,请检查连接';
  if (error.status === 413) return '图片过大,最多 2 MB';
  return reasons[error.reason] || `操作失败(${error.status})`;
}

let signedOut = () => {};

// onSignedOut is called when the desk no longer knows us.
export function onSignedOut(f) { signedOut = f; }

async function call(method, path, body) {
  const options = { method, headers: {}, credentials: 'same-origin' };
  if (body instanceof Blob) {
    options.body = body;
    options.headers['Content-Type'] = 'application/octet-stream';
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers['Content-Type'] = 'application/json';
  }
  const response = await fetch(path, options);
  if (response.status === 204) return undefined;
  if (response.ok && response.headers.get('Content-Disposition')) return response.blob();
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && path !== '/api/session') signedOut();
  throw new Refused(response.status, answer);
}

const of = (id) => `/api/conversations/${encodeURIComponent(id)}`;

const ofCase = (name) => `/api/cases/${encodeURIComponent(name)}`;

export const api = {
  signIn: (token) => call('POST', '/api/session', { token }),
  signOut: () => call('DELETE', '/api/session'),
  me: () => call('GET', '/api/me'),
  duty: (onDuty) => call('PUT', '/api/duty', { onDuty }),
  groups: () => call('GET', '/api/groups'),
  emergencies: () => call('GET', '/api/emergencies'),
  conversations: (query) => call('GET', `/api/conversations?${new URLSearchParams(query)}`),
  cases: () => call('GET', '/api/cases?limit=500'),
  casesOf: (id) => call('GET', `${of(id)}/cases`),
  case: (name) => call('GET', ofCase(name)),
  actOnCase: (name, request) => call('POST', `${ofCase(name)}/actions`, request),
  openCase: (id, application) => call('POST', `${of(id)}/after-sales`, application),
  order: (id, number) => call('GET', `${of(id)}/order?${new URLSearchParams({ number })}`),
  changeOrder: (id, change) => call('POST', `${of(id)}/order-changes`, change),
  promise: (id, promised) => call('POST', `${of(id)}/promises`, promised),
  sendForm: (id, key) => call('POST', `${of(id)}/after-sales-form`, { key }),
  evidenceURL: (name, media) => `${ofCase(name)}/evidence/${encodeURIComponent(media)}`,
  poorRatings: () => call('GET', '/api/ratings/poor'),
  complaints: () => call('GET', '/api/complaints'),
  conversation: (id) => call('GET', of(id)),
  timeline: (id) => call('GET', `${of(id)}/timeline`),
  canned: (id) => call('GET', `${of(id)}/canned-replies`),
  say: (id, key, content) => call('POST', `${of(id)}/messages`, { key, content }),
  typing: (id) => call('POST', `${of(id)}/typing`),
  close: (id) => call('POST', `${of(id)}/close`),
  complain: (id, complaint) => call('POST', `${of(id)}/complaint`, complaint),
  resolve: (id, resolution) => call('POST', `${of(id)}/complaint/resolve`, { resolution }),
  followUp: (id) => call('POST', `${of(id)}/complaint/follow-up`),
  tier: (id) => call('GET', `${of(id)}/tier`),
  setTier: (id, tier) => call('PUT', `${of(id)}/tier`, { tier }),
  reviews: () => call('GET', '/api/reviews'),
  reviewed: (id) => call('POST', `${of(id)}/reviewed`),
  judgements: () => call('GET', '/api/quality/judgements'),
  myJudgements: () => call('GET', '/api/quality/judgements/mine'),
  judgement: (id) => call('GET', `${of(id)}/judgement`),
  judge: (id, scores) => call('POST', `${of(id)}/judgement`, scores),
  appeal: (id, words) => call('POST', `${of(id)}/judgement/appeal`, { words }),
  decideAppeal: (id, decision) => call('POST', `${of(id)}/judgement/decision`, decision),
  weeks: () => call('GET', '/api/quality/weeks'),
  week: (name) => call('GET', `/api/quality/weeks/${encodeURIComponent(name)}`),
  quarter: (name) => call('POST', `/api/quality/weeks/${encodeURIComponent(name)}/quarter`),
  upload: (file) => call('POST', '/api/media', file),
  file: (id, conversation) => call('GET', mediaURL(id, conversation)),
};

export const mediaURL = (id, conversation) => `/api/media/${encodeURIComponent(id)}?conversation=${encodeURIComponent(conversation)}`;
export const exportURL = (conversation) => `/api/conversations/${encodeURIComponent(conversation)}/export?format=zip`;
