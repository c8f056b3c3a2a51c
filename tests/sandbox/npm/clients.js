// Two clients from npm do all that they can against a WeCom: node clients.js FILE, with the WECOM variables.
// A line of JSON for each thing: [client, what it does, "ok" or how the client tells that it was refused].
"use strict";

const file = process.argv[2];
const { WECOM_API_BASE: address, WECOM_SECRET: secret, WECOM_CONTACTS_SECRET: contactsSecret, WECOM_WEBHOOK: key } = process.env;
const axios = require("axios");
const EnterpriseAPI = require("wechat-enterprise-api");
const { WechatApp, WechatRobot } = require("push-all-in-one");

// The one knows its address, the other knows WeCom's alone.
const hosted = (api) => Object.assign(api, { prefix: `${address}/cgi-bin/` });
axios.interceptors.request.use((call) => ({ ...call, url: call.url.replace("https://qyapi.weixin.qq.com", address) }));

const tell = (...line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const seen = {};

async function enterprise() {
  const app = hosted(new EnterpriseAPI("wwsandbox", secret, 1000002));
  const contacts = hosted(new EnterpriseAPI("wwsandbox", contactsSecret, 1000002));
  const wrong = hosted(new EnterpriseAPI("wwsandbox", "wrong-secret", 1000002));
  const callback = { url: `${address}/nobody`, token: "token", encodingaeskey: "a".repeat(43) };
  const to = { touser: "lisi", safe: "0" };
  const steps = [
    ["createDepartment", contacts, ["运维", { id: 2, parentid: 1, order: 3 }]],
    ["updateDepartment", contacts, [2, { name: "运维部" }]],
    ["getDepartments", contacts, []],
    ["createUser", contacts, [{ userid: "lisi", name: "李四", department: [2], mobile: "13800000001" }]],
    ["createUser again", contacts, [{ userid: "lisi", name: "李四", department: [2], mobile: "13800000002" }]],
    ["updateUser", contacts, [{ userid: "lisi", position: "值班" }]],
    ["getUser", contacts, ["lisi"]],
    ["getDepartmentUsers", contacts, [1, 1, 0]],
    ["getDepartmentUsersDetail", contacts, [1, 1, 0]],
    ["createTag", contacts, ["值班", { id: 7 }]],
    ["updateTagName", contacts, [7, "值班人"]],
    ["addTagUsers", contacts, [7, ["lisi"]]],
    ["getTagUsers", contacts, [7]],
    ["listTags", contacts, []],
    ["uploadMedia", app, [file, "file"], (found) => { seen.media = found.media_id; }],
    ["getMedia", app, () => [seen.media]],
    ["send text", app, [to, { msgtype: "text", text: { content: "price missing" } }]],
    ["send news", app, [to, { msgtype: "news", news: { articles: [{ title: "t", description: "d", url: "https://example.com" }] } }]],
    ["send file", app, () => [to, { msgtype: "file", file: { media_id: seen.media } }]],
    ["send to a department and a tag", app, [{ toparty: "2", totag: "7", safe: "0" }, { msgtype: "text", text: { content: "to many" } }]],
    ["send to nobody", app, [{ touser: "nobody" }, { msgtype: "text", text: { content: "x" } }]],
    ["send with a wrong secret", wrong, [to, { msgtype: "text", text: { content: "x" } }]],
    ["getAgent", app, [1000002]],
    ["setAgent", app, [{ agentid: "1000002", report_location_flag: "0", name: "报警" }]],
    ["listAgent", app, []],
    ["createMenu", app, [{ button: [{ type: "click", name: "今日", key: "today" }] }]],
    ["getMenu", app, []],
    ["removeMenu", app, []],
    ["getCallbackIP", app, []],
    ["batchSyncUser", contacts, () => [seen.media, callback], (found) => { seen.job = found.jobid; }],
    ["batchGetResult", contacts, () => [seen.job]],
    ["batchReplaceParty", contacts, () => [seen.media, undefined]],
    ["batchReplaceUser", contacts, () => [seen.media, undefined]],
    ["deleteTagUsers", contacts, [7, ["lisi"]]],
    ["deleteTag", contacts, [7]],
    ["deleteUsers", contacts, [["lisi"]]],
    ["deleteUser", contacts, ["lisi"]],
    ["deleteDepartment", contacts, [2]],
    ["batchInviteUser", contacts, [{ touser: "sandbox-user" }, undefined]],
    ["inviteUser", contacts, ["sandbox-user", "come"]],
    ["getTicket", app, []],
    ["getUserIdByCode", app, ["code"]],
  ];
  for (const [name, api, given, keep] of steps) {
    const args = typeof given === "function" ? given() : given;
    const outcome = await new Promise((resolve) => {
      process.removeAllListeners("uncaughtException"); // of a path that WeCom has no longer it reads null
      process.once("uncaughtException", ({ name: kind }) => resolve(kind));
      api[name.split(" ")[0]](...args, (error, found) => {
        if (!error && keep) keep(found);
        resolve(error ? String(error.code ?? `${error.name}: ${error.message}`) : "ok");
      });
    });
    tell("wechat-enterprise-api", name, outcome);
  }
}

async function push() {
  const config = { WECHAT_APP_CORPID: "wwsandbox", WECHAT_APP_SECRET: secret, WECHAT_APP_AGENTID: 1000002 };
  const app = new WechatApp(config);
  const robot = new WechatRobot({ WECHAT_ROBOT_KEY: key });
  const picture = Buffer.from("ffd8ff00000000", "hex");
  const md5 = require("crypto").createHash("md5").update(picture).digest("hex");
  const articles = [{ title: "t", url: "https://example.com" }];
  const card = { card_type: "text_notice", main_title: { title: "A17" }, card_action: { type: 1, url: "https://example.com" } };
  const steps = [
    ["app text", () => app.send("title", "text", { touser: "sandbox-user", safe: 0 })],
    ["app markdown", () => app.send("title", "**text**", { touser: "sandbox-user", msgtype: "markdown" })],
    ["app to everybody", () => app.send("title", "text")],
    ["app with a wrong secret", () => new WechatApp({ ...config, WECHAT_APP_SECRET: "wrong-secret" }).send("x")],
    ["bot text", () => robot.send("title", "text")],
    ["bot markdown", () => robot.send("title", "**text**", { msgtype: "markdown" })],
    ["bot text with mentions", () => robot.send("title", "", { msgtype: "text", text: { content: "x", mentioned_list: ["@all"] } })],
    ["bot news", () => robot.send("title", "", { msgtype: "news", news: { articles } })],
    ["bot image", () => robot.send("title", "", { msgtype: "image", image: { base64: picture.toString("base64"), md5 } })],
    ["bot template_card", () => robot.send("title", "", { msgtype: "template_card", template_card: card })],
    ["bot with a wrong key", () => new WechatRobot({ WECHAT_ROBOT_KEY: "wrong" }).send("x")],
  ];
  for (const [name, call] of steps) {
    try {
      const { data } = await call();
      tell("push-all-in-one", name, data.errcode === 0 ? "ok" : String(data.errcode));
    } catch (error) {
      tell("push-all-in-one", name, String(error.message).split(",")[0]);
    }
  }
}

enterprise().then(push);
