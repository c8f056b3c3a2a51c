// Everything the page says, in both languages. A word is a text, or a function of what it is about.

const WORDS = {
  en: {
    title: "WeCom sandbox", skip: "To the inspector", clear: "Delete all", language: "中文", download: "Download",
    ask_clear: (n) => `Delete ${n === 1 ? "the message" : `all ${n} messages`}? This cannot be undone.`, clear_all: "Delete", cancel: "Cancel", close: "Close",
    search: "Search and filter", contains: "Search the text of messages", contains_hint: "Search", filter: "Filter", no_filter: "Reset filter", any: "any",
    filter_receiver: "Receiver", filter_channel: "Channel", filter_level: "Level", filter_msgtype: "Type", filter_since: "From", filter_until: "To", filter_not_contains: "Without",
    channel_app: "app", channel_bot: "bot", channel_aibot: "AI bot", channel_person: "people", level_critical: "🚨 critical", level_error: "🔴 error", level_warning: "🟠 warning", level_info: "🔵 info", level_debug: "⚪ debug", level_over: "✅ over",
    found: (n, most) => (n >= most ? `${most} or more found, the newest are shown` : `${n} found`), none_fits: "No message fits the filter.",
    messages: "Messages", views: "View",
    phones: "Phones", receivers: "Receivers", inspector: "Inspector",
    faults: "Faults", calls: "Calls",
    only_refused: "only what failed",
    live: "live", lost: "connection lost, trying again", full: "too many pages are open, trying again", locked: "This page needs its token: open the address that was printed.", wrong: (text) => `This filter makes no sense: ${text}`,
    stands: ({ messages, most, bytes, most_bytes }) => `${messages} ${messages === 1 ? "message" : "messages"} kept of at most ${most}, ${mega(bytes)} of ${mega(most_bytes)} MB`,
    wecom: "WeCom", wechat: "WeChat", group: (n) => `Group of bot ${n}`, app: "Sandbox app", bot: "bot", aibot: "AI bot",
    as: "As", write: "Write to the bot", write_group: "@ the bot in the group", send: "Send", quote: "Quote", no_quote: "Do not quote", unheard: "No bot is connected: nobody heard it.", lost_click: "No bot is connected: the click is lost.",
    empty_aibot: "No messages yet. Write below, or connect a bot:",
    empty: "No messages yet", empty_app: "No messages yet. To send here as an app:", empty_bot: "No messages yet. To send here as the bot of a group:",
    empty_wechat: "No messages yet. What an app sends to a member is shown in WeChat, too, but for markdown and cards.",
    then_try: "Then, for instance:",
    fresh: (n) => `${n} new ↓`, show_request: "Request", delete: "Delete", acts: (n) => `Message ${n}`, taken_with: "WeCom took it with a warning",
    ok_but: "ok, but", no_request: (n) => `The request of message ${n} is no longer kept`,
    without: (n, most) => `${n} more ${n === 1 ? "phone is" : "phones are"} not drawn, at most ${most} are; their messages are in the calls.`,
    no_show: "not shown in WeChat", only_wecom: (kind) => `${kind} is shown in WeCom only`,
    reached: (n) => `to ${n} members`, request: (n) => `request of message ${n}`, messages_of: (who) => `Messages of ${who}`,
    left_out: "dropped",
    void: "Revoke all tokens",
    mode: "A second gettoken gives", same: "the same token", kill_old: "a new one, the old one dies", overlap: "a new one, the old one has 5 minutes",
    path: "Call", trouble: "Fault", value: "Value", times: "Times", order: "Inject", undo: "Remove", undo_all: "Reset faults",
    errcode: "errcode", status: "HTTP status", delay_s: "delay (s)", drop: "no answer", withhold: "done, not answered",
    aibot_state: (n, m) => `AI bot: ${n ? "subscribed" : "not subscribed"}, ${m} ${m === 1 ? "connection" : "connections"}`, unsubscribe: "Lose subscription", cut: "Drop", silence: "Go silent", group_cards: "cards in groups", open_userids: "encrypted user ids",
    phone_calls: "Phone calls (pstncc)", ready: "possible", not_linked: "app not linked (301049)", not_enabled: "not enabled (301050)", no_balance: "no balance (301051)",
    ringing: "Phone calls", rings: (who) => `WeCom calls ${who}`, call_answer: "Answer", call_refuse: "Refuse", call_no_answer: "Let it ring out", call_off: "Switched off", call_reason: (n) => REASONS[n]?.[0] ?? String(n),
    trusted: "refuse every address (60020)", details: "contacts-sync may read ids only (48009)",
    no_faults: "None.", times_left: (n) => (n === 1 ? "once" : `${n} times`), refused_order: "Not injected",
    no_calls: "No calls yet.", dropped: "no answer", silently: (n) => `${n} ${n === 1 ? "receiver" : "receivers"} over the limit: silently dropped`,
    remedy: "Remedy", look_up: "WeCom's own help", bytes: (used, limit) => `${used} of ${limit} bytes`, answer: "Answer", sent: "Request",
    save_file: "Save", file_gone: "This file is no longer kept.", no_preview: "There is no preview of this file.", file_begins: "Only the beginning is shown.",
    size: (n) => `${n} bytes`, uploaded: "(a file)", card_changed: (who) => `A card changed for ${who}`, new_messages: (n, who) => (n === 1 ? `New message for ${who}` : `${n} new messages, the last for ${who}`),
  },
  zh: {
    title: "企业微信沙箱", skip: "跳到检查面板", clear: "全部删除", language: "English", download: "下载",
    ask_clear: (n) => `删除全部 ${n} 条消息？此操作无法撤销。`, clear_all: "删除", cancel: "取消", close: "关闭",
    search: "搜索与筛选", contains: "搜索消息内容", contains_hint: "搜索", filter: "筛选", no_filter: "重置筛选", any: "不限",
    filter_receiver: "接收者", filter_channel: "通道", filter_level: "级别", filter_msgtype: "类型", filter_since: "开始时间", filter_until: "结束时间", filter_not_contains: "不含",
    channel_app: "应用", channel_bot: "机器人", channel_aibot: "智能机器人", channel_person: "成员", level_critical: "🚨 严重", level_error: "🔴 错误", level_warning: "🟠 警告", level_info: "🔵 信息", level_debug: "⚪ 调试", level_over: "✅ 恢复",
    found: (n, most) => (n >= most ? `找到至少 ${most} 条，显示最新的` : `找到 ${n} 条`), none_fits: "没有符合条件的消息。",
    messages: "消息", views: "视图",
    phones: "手机", receivers: "接收者", inspector: "检查面板",
    faults: "故障注入", calls: "调用记录",
    only_refused: "只看失败的",
    live: "实时", lost: "连接中断，正在重连", full: "打开的页面太多，正在重试", locked: "需要令牌：请打开启动时打印的完整地址。", wrong: (text) => `筛选条件无效：${text}`,
    stands: ({ messages, most, bytes, most_bytes }) => `保留 ${messages} 条消息，最多 ${most} 条；${mega(bytes)} / ${mega(most_bytes)} MB`,
    wecom: "企业微信", wechat: "微信", group: (n) => `机器人 ${n} 的群`, app: "沙箱应用", bot: "机器人", aibot: "智能机器人",
    as: "身份", write: "给机器人发消息", write_group: "在群里 @机器人", send: "发送", quote: "引用", no_quote: "取消引用", unheard: "没有机器人连接，无人收到。", lost_click: "没有机器人连接，这次点击已丢失。",
    empty_aibot: "还没有消息。在下方输入，或接入机器人：",
    empty: "还没有消息", empty_app: "还没有消息。以应用身份发送：", empty_bot: "还没有消息。以群机器人身份发送：",
    empty_wechat: "还没有消息。应用发给成员的消息在微信中也会显示，markdown 和卡片除外。",
    then_try: "然后，例如：",
    fresh: (n) => `${n} 条新消息 ↓`, show_request: "请求", delete: "删除", acts: (n) => `消息 ${n}`, taken_with: "企业微信接受了请求，但有警告",
    ok_but: "ok，有警告", no_request: (n) => `消息 ${n} 的请求已不再保留`,
    without: (n, most) => `另有 ${n} 部手机未显示（最多画 ${most} 部），其消息见调用记录。`,
    no_show: "微信中不显示", only_wecom: (kind) => `${kind} 只在企业微信中显示`,
    reached: (n) => `共 ${n} 人`, request: (n) => `消息 ${n} 的请求`, messages_of: (who) => `${who} 的消息`,
    left_out: "静默丢弃",
    void: "作废全部 token",
    mode: "再次 gettoken 得到", same: "同一个 token", kill_old: "新 token，旧的立即失效", overlap: "新 token，旧的保留 5 分钟",
    path: "调用", trouble: "故障", value: "值", times: "次数", order: "注入", undo: "移除", undo_all: "重置故障",
    errcode: "errcode", status: "HTTP 状态码", delay_s: "延迟（秒）", drop: "不应答", withhold: "已执行但不应答",
    aibot_state: (n, m) => `智能机器人：${n ? "已订阅" : "未订阅"}，${m} 个连接`, unsubscribe: "丢失订阅", cut: "断开", silence: "无响应", group_cards: "群聊中允许卡片", open_userids: "加密的成员 ID",
    phone_calls: "电话（pstncc）", ready: "可用", not_linked: "应用未关联（301049）", not_enabled: "未开通（301050）", no_balance: "余额不足（301051）",
    ringing: "电话", rings: (who) => `企业微信来电：${who}`, call_answer: "接听", call_refuse: "拒接", call_no_answer: "无人接", call_off: "关机", call_reason: (n) => REASONS[n]?.[1] ?? String(n),
    trusted: "拒绝所有 IP（60020）", details: "通讯录同步只能读 ID（48009）",
    no_faults: "无", times_left: (n) => `${n} 次`, refused_order: "注入失败",
    no_calls: "还没有调用。", dropped: "无应答", silently: (n) => `${n} 位接收者超出频率，被静默丢弃`,
    remedy: "处理办法", look_up: "企业微信错误码说明", bytes: (used, limit) => `${used} / ${limit} 字节`, answer: "应答", sent: "请求",
    save_file: "保存", file_gone: "文件已不再保留。", no_preview: "无法预览此文件。", file_begins: "只显示开头部分。",
    size: (n) => `${n} 字节`, uploaded: "（文件）", card_changed: (who) => `${who} 的卡片已更新`, new_messages: (n, who) => (n === 1 ? `${who} 收到新消息` : `${n} 条新消息，最后一条发给 ${who}`),
  },
};

// Of pstncc/getstates, those that the sandbox gives.
const REASONS = {
  0: ["answered, and over", "已接听，通话结束"], 1: ["rings", "振铃"], 3: ["answered, talking", "已接听，通话中"], 4: ["not answered", "无人接听"], 7: ["refused", "拒接"], 8: ["switched off", "关机"],
  13: ["too many calls: 3 in 8 minutes, 8 in 24 hours", "超过限制：8 分钟 3 次、24 小时 8 次"], 16: ["busy", "线路繁忙"],
};

const mega = (bytes) => (bytes / 1024 / 1024).toFixed(bytes && bytes < 100 * 1024 * 1024 ? 1 : 0);

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
  for (const element of root.querySelectorAll("[data-hint]")) element.setAttribute("placeholder", say(element.dataset.hint));
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
}
