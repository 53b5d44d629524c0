/** The package ships these schemas without types. */
declare module "discord-api-spec/zod" {
  import type { ZodMiniObject } from "zod/mini";

  export const ApplicationCommandCreateRequestSchema: ZodMiniObject;
  export const ApplicationCommandResponseSchema: ZodMiniObject;
  export const CreateMessageInteractionCallbackRequestSchema: ZodMiniObject;
  export const GatewayBotResponseSchema: ZodMiniObject;
  export const IncomingWebhookUpdateRequestPartialSchema: ZodMiniObject;
  export const MessageCreateRequestSchema: ZodMiniObject;
  export const MessageResponseSchema: ZodMiniObject;
  export const UpdateMessageInteractionCallbackRequestSchema: ZodMiniObject;
}
