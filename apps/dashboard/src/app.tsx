import { ApiError } from '@alphaflops/api-client';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { Link, Route, Router, Switch, useRoute } from 'wouter';
import { useHashLocation } from 'wouter/use-hash-location';
import { CampaignPage } from './pages/campaign.js';
import { CampaignsPage } from './pages/campaigns.js';
import { OverviewPage } from './pages/overview.js';
import { WorkersPage } from './pages/workers.js';
import { Readiness } from './readiness.js';
import {
  apiWith,
  endSession,
  forgetToken,
  keptToken,
  SessionContext,
  signInWith,
  takeSignInCode,
  usePublicRead,
} from './session.js';
import { SignIn } from './sign-in.js';
import { applyTheme, THEMES, useTheme } from './theme.js';
import { Busy, Empty } from './ui.js';

const NewCampaignPage = lazy(() => import('./pages/new-campaign.js'));
const DevicesPage = lazy(() => import('./pages/devices.js'));
const DeviceClassPage = lazy(() => import('./pages/device-class.js'));
const PredictPage = lazy(() => import('./pages/predict.js'));
const ComparePage = lazy(() => import('./pages/compare.js'));
const DataPage = lazy(() => import('./pages/data.js'));

const NAVIGATION = [
  ['/', 'Overview'],
  ['/campaigns', 'Campaigns'],
  ['/workers', 'Workers'],
  ['/devices', 'Devices and models'],
  ['/predict', 'Predict'],
  ['/compare', 'Compare'],
  ['/data', 'Data'],
] as const;

/** Pages for everybody, if the deployment allows it. */
const PUBLIC_NAVIGATION = [
  ['/', 'Models'],
  ['/predict', 'Predict'],
  ['/compare', 'Compare'],
  ['/data', 'Data'],
] as const;

export function App() {
  const [token, setToken] = useState(keptToken);
  const [refusal, setRefusal] = useState('');
  const isSigningIn = useSignInLink(setToken, setRefusal);
  const signOut = (why: string) => {
    forgetToken();
    setToken(null);
    setRefusal(why);
  };
  const isPublic = usePublicRead(token === null);
  const [wantsSignIn, setWantsSignIn] = useState(false);
  if (isSigningIn) return <Busy what="the session of the sign-in link" />;
  if (token !== null) return <Pages key={token} token={token} onRefused={signOut} />;
  if (isPublic === null) return <Busy what="the page" />;
  if (isPublic && !wantsSignIn && refusal === '') {
    return (
      <Pages
        token={null}
        onRefused={setRefusal}
        onSignIn={() => {
          setWantsSignIn(true);
        }}
      />
    );
  }
  const readOn = () => {
    setWantsSignIn(false);
    setRefusal('');
  };
  const signedIn = (given: string) => {
    readOn();
    setToken(given);
  };
  return <SignIn refusal={refusal} onToken={signedIn} {...(isPublic && { onLeave: readOn })} />;
}

/** Code in the address with which this page was opened. */
const FIRST_CODE = takeSignInCode();

/** Signs in if the address is, or becomes, a sign-in link. A refused link does not end a session. */
function useSignInLink(onToken: (token: string) => void, onRefusal: (why: string) => void): boolean {
  const [isSigningIn, setSigningIn] = useState(FIRST_CODE !== null);
  useEffect(() => {
    const signIn = async (code: string | null): Promise<void> => {
      if (code === null) return;
      setSigningIn(true);
      try {
        onToken(await signInWith(code));
      } catch (error) {
        onRefusal(error instanceof Error ? error.message : String(error));
      }
      setSigningIn(false);
    };
    const onLink = () => void signIn(takeSignInCode());
    void signIn(FIRST_CODE);
    window.addEventListener('hashchange', onLink);
    return () => {
      window.removeEventListener('hashchange', onLink);
    };
  }, [onToken, onRefusal]);
  return isSigningIn;
}

/** All pages for users with a token, or the pages for everybody. */
function Pages(props: { token: string | null; onRefused: (why: string) => void; onSignIn?: () => void }) {
  const { token, onRefused, onSignIn } = props;
  const [session] = useState(() => ({ token, api: apiWith(token) }));
  const [client] = useState(() => newQueryClient(onRefused));
  const leave = () => {
    if (token !== null) void endSession(token);
    onRefused('');
  };
  return (
    <SessionContext value={session}>
      <QueryClientProvider client={client}>
        <Router hook={useHashLocation}>
          {token === null ? (
            <Frame
              navigation={PUBLIC_NAVIGATION}
              pages={PUBLIC_PAGES}
              button={['Sign in', onSignIn ?? leave]}
            />
          ) : (
            <Frame navigation={NAVIGATION} pages={ALL_PAGES} button={['Sign out', leave]} />
          )}
        </Router>
      </QueryClientProvider>
    </SessionContext>
  );
}

/** A refused token signs out. Other problems are shown at their place. */
function newQueryClient(onRefused: (why: string) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) onRefused(error.message);
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

const NO_SUCH_PAGE = (
  <Route>
    <Empty title="This page does not exist">
      <Link href="/">Go to the first page</Link>
    </Empty>
  </Route>
);

const ALL_PAGES = (
  <Switch>
    <Route path="/" component={OverviewPage} />
    <Route path="/campaigns" component={CampaignsPage} />
    <Route path="/campaigns/new/:design?" component={NewCampaignPage} />
    <Route path="/campaigns/:id">{({ id }) => <CampaignPage key={id} id={id} />}</Route>
    <Route path="/workers" component={WorkersPage} />
    <Route path="/devices" component={DevicesPage} />
    <Route path="/devices/:id">{({ id }) => <DeviceClassPage key={id} id={id} />}</Route>
    <Route path="/predict/:what?" component={PredictPage} />
    <Route path="/compare/:what?" component={ComparePage} />
    <Route path="/data" component={DataPage} />
    {NO_SUCH_PAGE}
  </Switch>
);

const PUBLIC_PAGES = (
  <Switch>
    <Route path="/" component={DevicesPage} />
    <Route path="/devices" component={DevicesPage} />
    <Route path="/devices/:id">{({ id }) => <DeviceClassPage key={id} id={id} />}</Route>
    <Route path="/predict/:what?" component={PredictPage} />
    <Route path="/compare/:what?" component={ComparePage} />
    <Route path="/data" component={DataPage} />
    {NO_SUCH_PAGE}
  </Switch>
);

function Frame(props: {
  navigation: readonly (readonly [path: string, name: string])[];
  pages: ReactNode;
  button: readonly [label: string, act: () => void];
}) {
  const { navigation, pages } = props;
  const [label, act] = props.button;
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
          {navigation.map(([path, name]) => (
            <NavigationLink key={path} path={path} name={name} />
          ))}
        </nav>
        <ThemeSwitch />
        <button type="button" className="quiet" onClick={act}>
          {label}
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

/** The address after # belongs to the page. The skip link only moves the focus. */
function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
