import { DTYPES } from '@alphaflops/conv';
import { useMutation } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { nameOfClass, useDeviceClasses, useDevices, useModels } from '../api.js';
import { type CampaignForm, EMPTY_FORM, requestOf } from '../campaign-form.js';
import { CampaignPreviewPanel } from '../campaign-preview.js';
import { DESIGNS, type DesignName, SEEDED } from '../designs.js';
import { answered, useSession } from '../session.js';
import { Busy, Empty, Field, PageHead, Panel, Trouble } from '../ui.js';

export default function NewCampaignPage() {
  const { design } = useParams();
  const classes = useDeviceClasses();
  if (classes.data === undefined) {
    return classes.error === null ? <Busy what="device classes" /> : <Trouble error={classes.error} />;
  }
  if (classes.data.length === 0) {
    return (
      <>
        <PageHead title="New campaign" />
        <Empty title="There is no device to measure on">
          <Link href="/workers">Add a node</Link>; it reports its devices when it joins.
        </Empty>
      </>
    );
  }
  const start: CampaignForm = {
    ...EMPTY_FORM,
    deviceClassId: classes.data[0]?.id ?? '',
    design: DESIGNS.map(([name]) => name).find((name) => name === design) ?? EMPTY_FORM.design,
  };
  return <CampaignEditor start={start} />;
}

function CampaignEditor({ start }: { start: CampaignForm }) {
  const { api } = useSession();
  const [, goTo] = useLocation();
  const [form, setForm] = useState(start);
  const set = (changes: Partial<CampaignForm>) => {
    setForm((before) => ({ ...before, ...changes }));
  };
  const create = useMutation({
    mutationFn: async () => answered((await api.POST('/v1/campaigns', { body: requestOf(form) })).data),
    onSuccess: ({ id }) => {
      goTo(`/campaigns/${id}`);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <>
      <PageHead
        title="New campaign"
        lead="Nothing is stored before you start the campaign. The preview follows your input."
      />
      <div className="columns">
        <form onSubmit={submit}>
          <Panel title="Shapes and device">
            <div className="fields">
              <Field label="Name">
                <input
                  required
                  maxLength={120}
                  value={form.name}
                  placeholder="first look"
                  onChange={({ target }) => {
                    set({ name: target.value });
                  }}
                />
              </Field>
              <TargetFields form={form} set={set} />
              <DesignFields form={form} set={set} />
            </div>
          </Panel>
          <LimitFields form={form} set={set} />
          <Trouble error={create.error} />
          <button type="submit" className="primary" disabled={create.isPending}>
            {create.isPending ? 'Planning …' : 'Start campaign'}
          </button>
        </form>
        <CampaignPreviewPanel form={form} />
      </div>
    </>
  );
}

interface FieldsProps {
  form: CampaignForm;
  set: (changes: Partial<CampaignForm>) => void;
}

function TargetFields({ form, set }: FieldsProps) {
  const classes = useDeviceClasses();
  const devices = useDevices();
  const members = (devices.data ?? []).filter(({ deviceClassId }) => deviceClassId === form.deviceClassId);
  return (
    <>
      <Field label="Device class" hint="Its devices share the work.">
        <select
          value={form.deviceClassId}
          onChange={({ target }) => {
            set({ deviceClassId: target.value, deviceIds: [] });
          }}
        >
          {(classes.data ?? []).map((each) => (
            <option key={each.id} value={each.id}>
              {nameOfClass(each)} ({each.id})
            </option>
          ))}
        </select>
      </Field>
      {members.length > 1 && (
        <fieldset>
          <legend>Or each of these devices by itself</legend>
          {members.map(({ id, sku }) => (
            <Check
              key={id}
              label={`${id} (${sku})`}
              checked={form.deviceIds.includes(id)}
              onChange={(isOn) => {
                set({
                  deviceIds: isOn ? [...form.deviceIds, id] : form.deviceIds.filter((other) => other !== id),
                });
              }}
            />
          ))}
        </fieldset>
      )}
    </>
  );
}

function DesignFields({ form, set }: FieldsProps) {
  return (
    <>
      <Field label="Design" hint={DESIGNS.find(([name]) => name === form.design)?.[1] ?? ''}>
        <select
          value={form.design}
          onChange={({ target }) => {
            set({ design: target.value as DesignName });
          }}
        >
          {DESIGNS.map(([name]) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </Field>
      <Field label="Budget, convolutions">
        <NumberInput
          required
          min={1}
          max={1_000_000}
          value={form.specs}
          onText={(specs) => {
            set({ specs });
          }}
        />
      </Field>
      <Field
        label="Target error, %"
        hint="Held-out median error of the model. The campaign stops when the model reaches it. Empty: the whole budget is measured."
      >
        <NumberInput
          min={0.1}
          max={99}
          step="any"
          value={form.targetError}
          onText={(targetError) => {
            set({ targetError });
          }}
        />
      </Field>
      <Field label="Time limit, minutes" hint="Empty: no limit.">
        <NumberInput
          min={0.1}
          step="any"
          value={form.maxMinutes}
          onText={(maxMinutes) => {
            set({ maxMinutes });
          }}
        />
      </Field>
      {SEEDED.includes(form.design) && (
        <Field label="Seed" hint="The same seed gives the same plan.">
          <NumberInput
            required
            min={0}
            value={form.seed}
            onText={(seed) => {
              set({ seed });
            }}
          />
        </Field>
      )}
      {form.design === 'adaptive' && form.targetError === '' && (
        <Field label="Rounds">
          <NumberInput
            required
            min={1}
            max={100}
            value={form.rounds}
            onText={(rounds) => {
              set({ rounds });
            }}
          />
        </Field>
      )}
      {form.design === 'csv' && (
        <Field
          label="Shapes, CSV"
          hint="Columns height, width, cin, cout, kernel_h, kernel_w; batch, stride, groups, dtype if not 1, 1, 1, f32."
        >
          <textarea
            required
            rows={6}
            spellCheck={false}
            value={form.csv}
            placeholder={'height,width,cin,cout,kernel_h,kernel_w\n56,56,64,128,3,3'}
            onChange={({ target }) => {
              set({ csv: target.value });
            }}
          />
        </Field>
      )}
    </>
  );
}

function LimitFields({ form, set }: FieldsProps) {
  const models = useModels(1, form.deviceClassId);
  const hasModel = (models.data?.length ?? 0) > 0;
  return (
    <details className="panel">
      <summary>Limits, protocol, replicates</summary>
      <div className="fields">
        <fieldset>
          <legend>Element types</legend>
          {DTYPES.map((dtype) => (
            <Check
              key={dtype}
              label={dtype}
              checked={form.dtypes.includes(dtype)}
              onChange={(isOn) => {
                set({
                  dtypes: DTYPES.filter((each) => (each === dtype ? isOn : form.dtypes.includes(each))),
                });
              }}
            />
          ))}
        </fieldset>
        <Check
          label="Also grouped and depthwise convolutions"
          checked={form.allowGroups}
          onChange={(allowGroups) => {
            set({ allowGroups });
          }}
        />
        <Field
          label="Maximum multiply-adds of one convolution"
          hint="Empty: no limit. 500000000 keeps a campaign on a processor short."
        >
          <NumberInput
            min={1}
            value={form.maxMacs}
            onText={(maxMacs) => {
              set({ maxMacs });
            }}
          />
        </Field>
        <Field
          label="Maximum expected ms of one convolution"
          hint={
            hasModel
              ? 'According to the newest model of the class.'
              : 'This limit needs a model of the class. The class has no model yet.'
          }
        >
          <NumberInput
            min={0}
            step="any"
            disabled={!hasModel}
            value={hasModel ? form.maxSpecMs : ''}
            onText={(maxSpecMs) => {
              set({ maxSpecMs });
            }}
          />
        </Field>
        <Field
          label="Protocol"
          hint="How a convolution is timed. Empty: the protocol for the device (cpu or gpu)."
        >
          <input
            list="protocols"
            value={form.protocol}
            onChange={({ target }) => {
              set({ protocol: target.value });
            }}
          />
        </Field>
        <datalist id="protocols">
          <option value="cpu" />
          <option value="gpu" />
          <option value="quick-cpu" />
        </datalist>
        <Field label="Replicates" hint="Measurements of each convolution.">
          <NumberInput
            required
            min={1}
            max={100}
            value={form.replicates}
            onText={(replicates) => {
              set({ replicates });
            }}
          />
        </Field>
        <Field
          label="Repeats, % of the shapes"
          hint="Measured a second time, later, for the noise floor. Empty: 3 %, and at least 10 shapes for a budget of 100 or more."
        >
          <NumberInput
            min={0}
            max={100}
            step="any"
            value={form.repeats}
            onText={(repeats) => {
              set({ repeats });
            }}
          />
        </Field>
      </div>
    </details>
  );
}

type NumberInputProps = { value: string; onText: (text: string) => void; min?: number; max?: number; step?: string; required?: boolean; disabled?: boolean }; // prettier-ignore

function NumberInput({ onText, ...rest }: NumberInputProps) {
  return (
    <input
      type="number"
      {...rest}
      onChange={({ target }) => {
        onText(target.value);
      }}
    />
  );
}

function Check(props: { label: string; checked: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={({ target }) => {
          props.onChange(target.checked);
        }}
      />
      <span>{props.label}</span>
    </label>
  );
}
