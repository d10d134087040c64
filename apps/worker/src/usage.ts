import { DEFAULT_ANCHORS, MAX_ANCHORS } from '@alphaflops/measure';
import { PREFERRED_EXECUTORS, KNOWN_EXECUTORS } from './executors.js';

export const USAGE = `Usage:
  alphaflops worker join URL --token TOKEN   enrol this machine with the coordinator at URL
      --token -                   read the token from standard input
      --executor NAME             drive devices through NAME; may be repeated (default: the first
                                  that works of ${PREFERRED_EXECUTORS.join(', ')};
                                  known: ${KNOWN_EXECUTORS.join(', ')})
      --process-command COMMAND   the program of executor process, which is then used too
      --find                      executor cudnn uses the fastest algorithm, not the one that cuDNN expects to be
      --tfjs-node FOLDER          where executors tfjs-node and tfjs-node-gpu are installed
      --software-adapter          executor tfjs-webgpu computes on the processor, through a software Vulkan driver
      --label KEY=VALUE           label of this worker; may be repeated
      --name NAME                 name of this worker (default: the host name)
      --credentials FILE          where to keep the credentials
      --ca FILE                   certificates (PEM) to trust at the coordinator; kept with the
                                  credentials (default: ALPHAFLOPS_CA)
      --force                     replace the credentials of another coordinator
  alphaflops worker run                      take batches and measure them
      --credentials FILE          what join has written
      --once                      leave after one batch
      --for TIME                  leave after 90s, 30m, 2h or 7d
      --until-idle TIME           leave when there was no work for so long
      --auto-upgrade              follow the coordinator's version (a worker installed by join.sh)
      --anchors N                 watch for drift with N anchor convolutions, 0 to ${MAX_ANCHORS}
                                  (default: ${DEFAULT_ANCHORS.gpu.count} on GPUs, ${DEFAULT_ANCHORS.cpu.count} on processors)
      --anchors-every BATCHES     time some of them again after so many batches (default: ${DEFAULT_ANCHORS.gpu.everyBatches})
  alphaflops worker run-offline [WORK]       measure a file of campaign export-work, with no network
      --out FILE                  where the results go; needed. Run again, it goes on where it was interrupted
      --credentials FILE          the identity of this node; made when it is missing
      --executor, --process-command, --find, --tfjs-node, --software-adapter, --label, --name   as of join
  alphaflops-worker add webgpu|cudnn|tfjs-node|tfjs-node-gpu   download what a worker of join.sh comes without
  alphaflops-worker uninstall                remove such a worker, its credentials and its service
  alphaflops device probe                    what this machine could measure on, with no coordinator
      --executor NAME             ask NAME only; may be repeated (default: all that are known)
      --process-command COMMAND   the program of executor process
      --tfjs-node FOLDER          where executors tfjs-node and tfjs-node-gpu are installed
      --software-adapter          executor tfjs-webgpu computes on the processor, through a software Vulkan driver
      --json                      print JSON
  alphaflops bench --spec SPEC               time one convolution here (see alphaflops bench --help)

Examples:
  alphaflops worker join https://coordinator:8080 --token af_join_… --label rack=7
  alphaflops worker run
  alphaflops device probe --executor cudnn --json
`;
