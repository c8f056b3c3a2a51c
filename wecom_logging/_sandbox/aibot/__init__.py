"""The AI bot (智能机器人) with its long connection: https://developer.work.weixin.qq.com/document/path/101463."""
