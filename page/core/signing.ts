type Bytes = Uint8Array<ArrayBuffer>;

export function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** The key of a secret; null when the base64 behind `whsec_` does not decode. */
export function keyOf(secret: string): Bytes | null {
  return secret.startsWith('whsec_') ? bytesOfBase64(secret.slice(6)) : bytesOf(secret);
}

export function bytesOfBase64(text: string): Bytes | null {
  try {
    return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  } catch {
    return null;
  }
}

export function textOfBase64(bytes: Bytes): string {
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(''));
}

export async function hmac(key: Bytes, parts: readonly Bytes[]): Promise<Bytes> {
  // Browsers refuse an empty key. HMAC gives the same result for a key of one zero byte.
  const raw = key.length === 0 ? new Uint8Array(1) : key;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, joined(parts)));
}

export async function verifyEd25519(
  key: string,
  parts: readonly Bytes[],
  signatures: readonly string[],
): Promise<boolean> {
  const raw = bytesOfBase64(key);
  if (raw?.length !== 32) return false;
  const imported = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
  for (const one of signatures) {
    const signature = bytesOfBase64(one);
    if (signature === null) continue;
    if (await crypto.subtle.verify('Ed25519', imported, signature, joined(parts))) return true;
  }
  return false;
}

function joined(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
