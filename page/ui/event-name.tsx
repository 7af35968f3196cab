import { Fragment } from 'preact';

/** The name of an event. Where its line is too short for it, it goes on after a dot, and not within a word. */
export function EventName({ name }: { readonly name: string }) {
  return (
    <>
      {name.split(/(?<=\.)/).map((part, at) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </>
  );
}
