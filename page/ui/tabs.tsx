interface TabsOptions<Name extends string> {
  /** The name of the choice, which is read out. */
  readonly label: string;
  readonly items: readonly (readonly [name: Name, title: string])[];
  readonly chosen: string;
  readonly onChoose: (name: Name) => void;
}

/** A choice of a few views of the same values. */
export function Tabs<Name extends string>({ label, items, chosen, onChoose }: TabsOptions<Name>) {
  return (
    <div class="tabs" role="group" aria-label={label}>
      {items.map(([name, title]) => (
        <button
          key={name}
          type="button"
          class="button"
          aria-pressed={name === chosen}
          onClick={() => onChoose(name)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
