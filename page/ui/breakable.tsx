import { Fragment } from 'preact';

/** The name of an event or a URL. Where its line is too short for it, it goes on after a dot or a slash, and not within a word. */
export function Breakable({ text }: { readonly text: string }) {
  return (
    <>
      {text.split(/(?<=[./])/).map((part, at) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </>
  );
}
