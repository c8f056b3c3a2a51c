// Everything the page says, in both languages. A word is a text, or a function of what it is about.

const WORDS = {
  en: {
    title: "WeCom sandbox", skip: "To the inspector", clear: "Clear messages", language: "中文",
    phones: "Phones", receivers: "Receivers", inspector: "Inspector",
    chart: "Last two minutes", limits: "Rate limits", tokens: "Access tokens", faults: "Troubles on order", calls: "Calls",
    only_refused: "only what failed",
    live: "live", lost: "connection lost, trying again", full: "too many pages are open, trying again", locked: "This page needs its token: open the address that was printed.",
    stands: (n, most) => `${n} messages kept, at most ${most}`,
    wecom: "WeCom", wechat: "WeChat", group: (n) => `Group of bot ${n}`, app: "Sandbox app", bot: "bot",
    empty: "No messages yet",
    without: (n, most) => `${n} more ${n === 1 ? "phone is" : "phones are"} not drawn, at most ${most} are; their messages are in the calls.`,
    no_show: "not shown in WeChat", only_wecom: (kind) => `${kind} is shown in WeCom only`,
    reached: (n) => `to ${n} members`, request: (n) => `request of message ${n}`, messages_of: (who) => `Messages of ${who}`,
    delivered: "delivered", failed: "failed", discarded: "discarded in silence", left_out: "discarded",
    chart_text: (d, f, x, peak) => `Chart: ${d} delivered, ${f} failed, ${x} discarded; at most ${peak} in a second`,
    no_limits: "Nothing was sent yet.", per_minute: (who) => `${who}, a minute`, per_hour: (who) => `${who}, an hour`,
    no_tokens: "No token was asked for yet.", contacts: "contacts-sync", app_token: (id) => `app ${id}`,
    span: (seconds) => span(seconds, ["s", "min", "h"]), age: (age, left) => `${age} old, ${left} left`, over: "over", current: "current", former: "former", void: "Void all tokens",
    mode: "A second gettoken gives", same: "the same token", kill_old: "a new one, the old one dies", overlap: "a new one, the old one has 5 minutes",
    path: "Call", trouble: "Trouble", value: "Value", times: "Times", order: "Order", undo: "Take back", undo_all: "Take back all",
    errcode: "errcode", status: "HTTP status", delay_s: "delay (s)", drop: "no answer",
    trusted: "refuse every address (60020)", details: "contacts-sync may read ids only (48009)",
    no_faults: "None.", times_left: (n) => `${n} times`, refused_order: "Refused",
    no_calls: "No calls yet.", dropped: "no answer", silently: (n) => `${n} receivers had enough and were left out in silence`,
    remedy: "Remedy", look_up: "WeCom's own help", bytes: (used, limit) => `${used} of ${limit} bytes`, answer: "Answer", sent: "Request",
    size: (n) => `${n} bytes`, uploaded: "(a file)", new_messages: (n, who) => (n === 1 ? `New message for ${who}` : `${n} new messages, the last for ${who}`),
  },
  zh: {
    title: "企业微信沙箱", skip: "跳到检查面板", clear: "清空消息", language: "English",
    phones: "手机", receivers: "接收者", inspector: "检查面板",
    chart: "最近两分钟", limits: "频率限制", tokens: "access_token", faults: "故障注入", calls: "调用记录",
    only_refused: "只看失败的",
    live: "实时", lost: "连接中断，正在重连", full: "打开的页面太多，正在重试", locked: "需要令牌：请打开启动时打印的完整地址。",
    stands: (n, most) => `保留 ${n} 条消息，最多 ${most} 条`,
    wecom: "企业微信", wechat: "微信", group: (n) => `机器人 ${n} 的群`, app: "沙箱应用", bot: "机器人",
    empty: "还没有消息",
    without: (n, most) => `另有 ${n} 部手机没有画出（最多画 ${most} 部），其消息见调用记录。`,
    no_show: "微信中不显示", only_wecom: (kind) => `${kind} 只在企业微信中显示`,
    reached: (n) => `共 ${n} 人`, request: (n) => `消息 ${n} 的请求`, messages_of: (who) => `${who} 的消息`,
    delivered: "送达", failed: "失败", discarded: "静默丢弃", left_out: "静默丢弃",
    chart_text: (d, f, x, peak) => `图表：送达 ${d}，失败 ${f}，静默丢弃 ${x}；每秒最多 ${peak}`,
    no_limits: "还没有发送。", per_minute: (who) => `${who}，每分钟`, per_hour: (who) => `${who}，每小时`,
    no_tokens: "还没有获取 token。", contacts: "通讯录同步", app_token: (id) => `应用 ${id}`,
    span: (seconds) => span(seconds, ["秒", "分钟", "小时"]), age: (age, left) => `已用 ${age}，剩余 ${left}`, over: "已过期", current: "当前", former: "旧", void: "作废全部 token",
    mode: "再次 gettoken 得到", same: "同一个 token", kill_old: "新 token，旧的立即失效", overlap: "新 token，旧的保留 5 分钟",
    path: "调用", trouble: "故障", value: "值", times: "次数", order: "注入", undo: "撤销", undo_all: "全部撤销",
    errcode: "errcode", status: "HTTP 状态码", delay_s: "延迟（秒）", drop: "不应答",
    trusted: "拒绝所有 IP（60020）", details: "通讯录同步只能读 ID（48009）",
    no_faults: "无", times_left: (n) => `${n} 次`, refused_order: "被拒绝",
    no_calls: "还没有调用。", dropped: "无应答", silently: (n) => `${n} 位接收者超出频率，被静默丢弃`,
    remedy: "处理办法", look_up: "企业微信错误码说明", bytes: (used, limit) => `${used} / ${limit} 字节`, answer: "应答", sent: "请求",
    size: (n) => `${n} 字节`, uploaded: "（文件）", new_messages: (n, who) => (n === 1 ? `${who} 收到新消息` : `${n} 条新消息，最后一条发给 ${who}`),
  },
};

function span(seconds, [s, min, h]) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} ${s}`;
  const minutes = Math.floor(whole / 60);
  return whole < 3600 ? `${minutes} ${min}` : `${Math.floor(minutes / 60)} ${h} ${minutes % 60} ${min}`;
}

const remembered = () => { try { return localStorage.getItem("language"); } catch { return null; } };

let language = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!(language in WORDS)) language = "en";

export const tongue = () => language;

export function say(name, ...about) {
  const word = WORDS[language][name];
  return typeof word === "function" ? word(...about) : word;
}

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  try { localStorage.setItem("language", language); } catch { /* a browser that keeps nothing forgets it */ }
}

export function translate(root = document) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
}
