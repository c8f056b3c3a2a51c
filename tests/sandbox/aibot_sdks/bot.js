// A bot made with @wecom/aibot-node-sdk as it is. What it does goes to stdout, a JSON array a line.
const { WSClient } = require('@wecom/aibot-node-sdk');

const { WECOM_AIBOT_ID, WECOM_AIBOT_SECRET, WECOM_AIBOT_URL } = process.env;
const tell = (action, outcome = 'ok') => console.log(JSON.stringify([action, outcome]));
const tried = (action, promise) => promise.then(
  () => tell(action),
  (no) => tell(action, String(no.errcode ?? no.message)),
);
const button = { text: 'I take it', style: 1, key: 'ack:A17' };
const card = {
  card_type: 'button_interaction', main_title: { title: 'A17 · 312 errors' }, button_list: [button], task_id: 'a17',
};
const taken = (who) => ({ ...card, main_title: { title: `A17 · taken by ${who}` } });
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const client = new WSClient({
  botId: WECOM_AIBOT_ID, secret: WECOM_AIBOT_SECRET, wsUrl: WECOM_AIBOT_URL, logger: silent, heartbeatInterval: 100,
});

client.on('error', (error) => tell('error', error.message));
client.on('authenticated', async () => {
  tell('subscribe');
  await tried('push a card', client.sendMessage('sandbox-user', { msgtype: 'template_card', template_card: card }));
  await tried('push to a stranger', client.sendMessage('nobody', { msgtype: 'markdown', markdown: { content: 'x' } }));
  const data = Buffer.alloc(1500000, 'x');
  await tried('push a file', client.uploadMedia(data, { type: 'file', filename: 'a.log' })
    .then(({ media_id }) => client.sendMediaMessage('sandbox-user', 'file', media_id)));
});
client.on('event.template_card_event', async (frame) => {
  const { event_key, task_id } = frame.body.event.template_card_event;
  tell('click', `${event_key} ${task_id}`);
  await tried('rewrite', client.updateTemplateCard(frame, taken(frame.body.from.userid)));
  await tried('rewrite again', client.updateTemplateCard(frame, taken('nobody')));
});
client.on('message.text', async (frame) => {
  tell('message', frame.body.text.content);
  await tried('stream', client.replyStream(frame, 's1', 'thinking'));
  await tried('stream, its end', client.replyStream(frame, 's1', 'thought', true));
});
client.on('event.enter_chat', (frame) => {
  tried('welcome', client.replyWelcome(frame, { msgtype: 'text', text: { content: 'welcome' } }));
});
client.on('event.disconnected_event', () => {
  tell('kicked');
  setTimeout(() => process.exit(0), 100);
});
client.connect();
