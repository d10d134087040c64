import { type DeviceClass, nameOfClass } from './api.js';

/** Check boxes of device classes. If the user chooses one too many, the first one is removed. */
export function ClassPicker(props: {
  classes: readonly DeviceClass[];
  chosen: readonly string[];
  most: number;
  onChange: (ids: readonly string[]) => void;
}) {
  const { classes, chosen, most, onChange } = props;
  return classes.map((each) => (
    <label key={each.id} className="check">
      <input
        type="checkbox"
        checked={chosen.includes(each.id)}
        onChange={({ target }) => {
          onChange(
            target.checked ? [...chosen, each.id].slice(-most) : chosen.filter((id) => id !== each.id),
          );
        }}
      />
      <span>
        {nameOfClass(each)}
        <small>{each.id}</small>
      </span>
    </label>
  ));
}
