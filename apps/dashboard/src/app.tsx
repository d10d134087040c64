import { ApiError } from '@alphaflops/api-client';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { Link, Route, Router, Switch, useRoute } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { CampaignPage } from './pages/campaign.js';
import { CampaignsPage } from './pages/campaigns.js';
import { OverviewPage } from './pages/overview.js';
import { WorkersPage } from './pages/workers.js';
import { Readiness } from './readiness.js';
import { apiWith, forgetToken, keptToken, SessionContext } from './session.js';
import { SignIn } from './sign-in.js';
import { applyTheme, THEMES, useTheme } from './theme.js';
import { Busy, Empty } from './ui.js';

const NewCampaignPage = lazy(() => import('./pages/new-campaign.js'));
const DevicesPage = lazy(() => import('./pages/devices.js'));
const DeviceClassPage = lazy(() => import('./pages/device-class.js'));
const PredictPage = lazy(() => import('./pages/predict.js'));
const DataPage = lazy(() => import('./pages/data.js'));

const NAVIGATION = [
  ['/', 'Overview'],
  ['/campaigns', 'Campaigns'],
  ['/workers', 'Workers'],
  ['/devices', 'Devices and models'],
  ['/predict', 'Predict'],
  ['/data', 'Data'],
] as const;

export function App() {
  const [token, setToken] = useState(keptToken);
  const [refusal, setRefusal] = useState('');
  const signOut = (why: string) => {
    forgetToken();
    setToken(null);
    setRefusal(why);
  };
  if (token === null) return <SignIn refusal={refusal} onToken={setToken} />;
  return <SignedIn key={token} token={token} onSignOut={signOut} />;
}

function SignedIn({ token, onSignOut }: { token: string; onSignOut: (why: string) => void }) {
  const [session] = useState(() => ({
    token,
    api: apiWith(token),
    signOut: () => {
      onSignOut('');
    },
  }));
  const [client] = useState(() => newQueryClient(onSignOut));
  return (
    <SessionContext value={session}>
      <QueryClientProvider client={client}>
        <Router hook={useHashLocation}>
          <Frame onSignOut={session.signOut} />
        </Router>
      </QueryClientProvider>
    </SessionContext>
  );
}

/** A refused token signs out; other problems are shown where they happen. */
function newQueryClient(onSignOut: (why: string) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) onSignOut(error.message);
      },
    }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
        refetchOnWindowFocus: false,
      },
    },
  });
}

function Frame({ onSignOut }: { onSignOut: () => void }) {
  const pages = useMemo(
    () => (
      <Switch>
        <Route path="/" component={OverviewPage} />
        <Route path="/campaigns" component={CampaignsPage} />
        <Route path="/campaigns/new/:design?" component={NewCampaignPage} />
        <Route path="/campaigns/:id">{({ id }) => <CampaignPage key={id} id={id} />}</Route>
        <Route path="/workers" component={WorkersPage} />
        <Route path="/devices" component={DevicesPage} />
        <Route path="/devices/:id">{({ id }) => <DeviceClassPage key={id} id={id} />}</Route>
        <Route path="/predict/:what?" component={PredictPage} />
        <Route path="/data" component={DataPage} />
        <Route>
          <Empty title="There is no such page">
            <Link href="/">Go to the overview</Link>
          </Empty>
        </Route>
      </Switch>
    ),
    [],
  );
  return (
    <>
      <a className="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header className="top">
        <span className="brand">
          <span aria-hidden="true">α</span>flops
        </span>
        <nav aria-label="Pages">
          {NAVIGATION.map(([path, name]) => (
            <NavigationLink key={path} path={path} name={name} />
          ))}
        </nav>
        <ThemeSwitch />
        <button type="button" className="quiet" onClick={onSignOut}>
          Sign out
        </button>
      </header>
      <Readiness />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Busy what="the page" />}>{pages}</Suspense>
      </main>
    </>
  );
}

function NavigationLink({ path, name }: { path: string; name: string }) {
  const [isExact] = useRoute(path);
  const [isBelow] = useRoute(`${path}/*`);
  const isCurrent = isExact || (path !== '/' && isBelow);
  return (
    <Link href={path} {...(isCurrent && { 'aria-current': 'page' as const })}>
      {name}
    </Link>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  return (
    <label className="theme">
      <span className="hidden">Colours</span>
      <select
        value={theme}
        onChange={({ target }) => {
          applyTheme(THEMES.find((name) => name === target.value) ?? 'auto');
        }}
      >
        <option value="auto">System colours</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

/** The address after # is the page's; the skip link moves the focus only. */
function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
