/** The types of packets; those with attachments are three more than those without. */
export declare const enum Type {
    Connect = 0,
    Disconnect = 1,
    Event = 2,
    Ack = 3,
    ConnectError = 4,
    Binary = 3
}
