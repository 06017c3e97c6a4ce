/** The types of packets; those with attachments are three more than those without. */
export const enum Type {
  Connect,
  Disconnect,
  Event,
  Ack,
  ConnectError,
  Binary = 3,
}
