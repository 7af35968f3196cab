/**
 * Templates for chats, for the field `template` of a subscriber whose URL is an incoming webhook of the chat. Each shows the
 * name of the event and its data. Replace `{{data}}` by the fields that matter, such as `{{data.title}}`.
 *
 * @example
 * ```ts
 * await subscribers.create({ url, events: ['order.paid'], template: CHAT_TEMPLATES.slack });
 * ```
 */
export const CHAT_TEMPLATES = {
  /** For incoming webhooks of Slack. */
  slack: `{
  "text": "{{type}}",
  "blocks": [
    { "type": "section", "text": { "type": "plain_text", "text": "{{type}}: {{data}}" } }
  ]
}`,
  /** For webhooks of Discord. Nobody is notified by names in the text. */
  discord: `{
  "content": "{{type}}",
  "embeds": [{ "description": "{{data}}" }],
  "allowed_mentions": { "parse": [] }
}`,
  /** For the workflow "When a Teams webhook request is received" of Microsoft Teams. */
  teams: `{
  "type": "message",
  "attachments": [
    {
      "contentType": "application/vnd.microsoft.card.adaptive",
      "content": {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
          { "type": "TextBlock", "weight": "bolder", "text": "{{type}}" },
          { "type": "TextBlock", "wrap": true, "text": "{{data}}" }
        ]
      }
    }
  ]
}`,
} as const;
