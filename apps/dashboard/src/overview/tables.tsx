import { Link } from 'wouter';
import { type Campaign, type DeviceClass, heldOutOf, type Model, nameOfClass } from '../api.js';
import { ago, count, noiseFloorText, percent } from '../format.js';
import { Badge, Panel, TableBox } from '../ui.js';
import type { Attention } from './attention.js';
import { LearningLine } from './learning-line.js';

export function AttentionPanel({ items }: { items: readonly Attention[] }) {
  return (
    <Panel title="Needs attention">
      {items.length === 0 ? (
        <p className="hint">
          Nothing: no worker is missing, nothing failed, and every newest model is served.
        </p>
      ) : (
        <ul className="plain">
          {items.map(({ key, what, why, href }) => (
            <li key={key}>
              <Link href={href}>{what}</Link>
              <small>{why}</small>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The device classes with the error of their model and their noise floor. */
export function ClassTable(props: { classes: readonly DeviceClass[]; models: ReadonlyMap<string, Model> }) {
  const { classes, models } = props;
  return (
    <Panel
      title="Device classes"
      unit="error: median on held-out shapes"
      actions={<Link href="/devices">All device classes</Link>}
    >
      <TableBox label="Device classes">
        <table>
          <thead>
            <tr>
              <th>Device class</th>
              <th className="number">Error, %</th>
              <th className="number">Noise floor</th>
              <th className="number">Shapes</th>
            </tr>
          </thead>
          <tbody>
            {classes.map((each) => {
              const model = models.get(each.id);
              return (
                <tr key={each.id}>
                  <td>
                    <Link href={`/devices/${each.id}`}>{nameOfClass(each)}</Link>
                  </td>
                  <td className="number">
                    {model ? percent(heldOutOf(model)?.medianApe).replace(' %', '') : '–'}
                  </td>
                  <td className="number">{model?.noiseFloor ? noiseFloorText(model.noiseFloor) : '–'}</td>
                  <td className="number">{model ? count(model.data.shapes) : 'no model'}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TableBox>
    </Panel>
  );
}

/** Newest campaigns, with their learning curves. */
export function LastCampaigns({ campaigns }: { campaigns: readonly Campaign[] }) {
  return (
    <Panel title="Last campaigns" actions={<Link href="/campaigns">All campaigns</Link>}>
      {campaigns.length === 0 ? (
        <p className="hint">
          No campaign yet. <Link href="/campaigns/new">Start one</Link>
        </p>
      ) : (
        <TableBox label="Last campaigns">
          <table>
            <thead>
              <tr>
                <th>Campaign</th>
                <th>State</th>
                <th className="number">Measurements</th>
                <th>Learning curve</th>
                <th>Created</th>
              </tr>
            </thead>
            <tbody>
              {campaigns.map((campaign) => (
                <tr key={campaign.id}>
                  <td>
                    <Link href={`/campaigns/${campaign.id}`}>{campaign.name}</Link>
                    <small>{campaign.deviceClassId}</small>
                  </td>
                  <td>
                    <Badge state={campaign.state} />
                  </td>
                  <td className="number">{count(campaign.plannedSlots)}</td>
                  <td>
                    <LearningLine points={campaign.learning ?? []} />
                  </td>
                  <td>{ago(campaign.createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </Panel>
  );
}

export function NewestModels({ models }: { models: readonly Model[] }) {
  return (
    <Panel title="Newest models" unit="median error on held-out shapes">
      {models.length === 0 ? (
        <p className="hint">A model is published when a campaign has measured its last shape.</p>
      ) : (
        <TableBox label="Newest models">
          <table>
            <thead>
              <tr>
                <th>Model</th>
                <th>Status</th>
                <th>Form</th>
                <th className="number">Median error, %</th>
                <th className="number">Shapes</th>
                <th>Fitted</th>
              </tr>
            </thead>
            <tbody>
              {models.map((model) => (
                <tr key={model.id}>
                  <td>
                    <Link href={`/devices/${model.deviceClassId ?? ''}`}>{model.id}</Link>
                  </td>
                  <td>
                    <Badge state={model.status} />
                  </td>
                  <td>{model.chosenForm}</td>
                  <td className="number">{percent(heldOutOf(model)?.medianApe).replace(' %', '')}</td>
                  <td className="number">{count(model.data.shapes)}</td>
                  <td>{ago(model.createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </Panel>
  );
}
