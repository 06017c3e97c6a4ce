/** True in the development build; `web/build` sets it. */
declare const __DEV__: boolean;
/** True in the build for Node, where bytes are a Buffer. */
declare const __NODE__: boolean;
