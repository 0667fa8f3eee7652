/** The part of OpenHIM's library that is used; it has no types of its own. */
declare module 'openhim-mediator-utils' {
  interface Core {
    readonly apiURL: string;
    readonly username: string;
    readonly password: string;
    readonly urn: string;
    readonly trustSelfSigned: boolean;
  }
  type Told = (error?: Error | null) => void;
  const library: {
    registerMediator(core: Core, document: object, told: Told): void;
    fetchConfig(core: Core, told: Told): void;
  };
  export default library;
}
