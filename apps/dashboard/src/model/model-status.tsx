import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Model } from '../api.js';
import { useSession } from '../session.js';
import { Dialog, Field, Trouble } from '../ui.js';

/** Promotes a candidate, or retires a published model. The newest published model of a class is served. */
export function ChangeStatus({ model }: { model: Model }) {
  const [isAsking, setAsking] = useState(false);
  const act = model.status === 'published' ? 'retire' : 'promote';
  const name = act === 'retire' ? 'Retire' : 'Promote';
  return (
    <>
      <button
        type="button"
        aria-label={`${name} version ${model.version ?? ''}`}
        onClick={() => {
          setAsking(true);
        }}
      >
        {name}
      </button>
      {isAsking && (
        <StatusDialog
          {...{ model, act }}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}

function StatusDialog(props: { model: Model; act: 'promote' | 'retire'; onClose: () => void }) {
  const { model, act, onClose } = props;
  const { api } = useSession();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const change = useMutation({
    mutationFn: async () => {
      const params = { path: { id: model.id ?? '' } };
      const body = reason.trim() === '' ? {} : { reason: reason.trim() };
      await (act === 'retire'
        ? api.POST('/v1/models/{id}/retire', { params, body })
        : api.POST('/v1/models/{id}/promote', { params, body }));
    },
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries();
    },
  });
  return (
    <Dialog
      title={`${act === 'retire' ? 'Retire' : 'Promote'} version ${model.version ?? ''}`}
      onClose={onClose}
    >
      <p>
        {act === 'retire'
          ? 'The coordinator will no longer serve it: predictions come from the previous published version, if there is one. It stays in the store, and you can promote it again.'
          : 'The coordinator will serve it: predictions for this device class come from it, unless a newer version is published.'}
      </p>
      <Field label="Reason" hint="shown with the version">
        <input
          value={reason}
          maxLength={500}
          placeholder="requested by the operator"
          onChange={({ target }) => {
            setReason(target.value);
          }}
        />
      </Field>
      <Trouble error={change.error} />
      <div className="actions">
        <button
          type="button"
          className={act === 'retire' ? 'danger' : 'primary'}
          disabled={change.isPending}
          onClick={() => {
            change.mutate();
          }}
        >
          {act === 'retire' ? 'Retire it' : 'Promote it'}
        </button>
        <button type="button" onClick={onClose}>
          Leave it
        </button>
      </div>
    </Dialog>
  );
}
