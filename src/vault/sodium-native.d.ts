// The package ships no types; these are the functions the vault calls (https://sodium-friends.github.io/docs/docs/api).
declare module 'sodium-native' {
  interface Sodium {
    randombytes_buf(buffer: Uint8Array): void;
    sodium_memzero(buffer: Uint8Array): void;
    /** Equal content of equal length; takes as long whatever differs. */
    sodium_memcmp(a: Uint8Array, b: Uint8Array): boolean;
    crypto_generichash(output: Uint8Array, input: Uint8Array, key?: Uint8Array): void;
    crypto_aead_xchacha20poly1305_ietf_encrypt(
      ciphertext: Uint8Array,
      message: Uint8Array,
      additionalData: Uint8Array | null,
      secretNonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws if the tag does not match. */
    crypto_aead_xchacha20poly1305_ietf_decrypt(
      message: Uint8Array,
      secretNonce: null,
      ciphertext: Uint8Array,
      additionalData: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    crypto_stream_xchacha20_xor(output: Uint8Array, input: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
  }
  const sodium: Sodium;
  export default sodium;
}
