/** True in the development build; `web/build` sets it. */
declare const __DEV__: boolean;
