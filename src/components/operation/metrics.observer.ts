import {createRequire} from 'node:module';
import {
  Application,
  BindingScope,
  CoreBindings,
  inject,
  injectable,
  lifeCycleObserver,
  type LifeCycleObserver,
} from '@loopback/core';
import {LiveEntitiesBindings} from '../../keys';
import type {RealtimeServer} from '../realtime/realtime.server';
import {METRICS, type Metric} from './live-metrics';

const COMPONENT = 'components.MetricsComponent';

/** What is used of `prom-client`. */
interface Prometheus {
  readonly Gauge: MetricClass;
  readonly Counter: MetricClass;
  readonly register: {
    getSingleMetric(name: string): unknown;
    removeSingleMetric(name: string): void;
  };
}

interface Collected {
  reset(): void;
  inc(labels: object, value: number): void;
}

type MetricClass = new (options: object) => object;

/**
 * Shows the live side's metrics beside those of `@loopback/metrics`, where the application has that
 * component. They are read when somebody asks for them, and cost nothing otherwise.
 */
@lifeCycleObserver('live-entities-metrics')
@injectable({scope: BindingScope.SINGLETON})
export class MetricsObserver implements LifeCycleObserver {
  private prometheus: Prometheus | undefined;

  constructor(
    @inject(CoreBindings.APPLICATION_INSTANCE) private readonly application: Application,
    @inject(LiveEntitiesBindings.REALTIME_SERVER) private readonly realtime: RealtimeServer,
  ) {}

  /** @throws Error when the component is there and its package cannot be loaded */
  start(): void {
    if (!this.application.isBound(COMPONENT)) return;
    this.prometheus = prometheusOfLoopBack();
    for (const metric of METRICS) this.register(metric, this.prometheus);
  }

  stop(): void {
    for (const {name} of METRICS) this.prometheus?.register.removeSingleMetric(name);
    this.prometheus = undefined;
  }

  private register(metric: Metric, prometheus: Prometheus): void {
    const {register} = prometheus;
    const {name, help, labelNames} = metric;
    // Of two applications in one process the later one is shown.
    if (register.getSingleMetric(name)) register.removeSingleMetric(name);
    const grows = name.endsWith('_total');
    const metricClass = grows ? prometheus.Counter : prometheus.Gauge;
    const {realtime} = this;
    new metricClass({
      name,
      help,
      labelNames,
      collect(this: Collected) {
        this.reset();
        const {metrics} = realtime;
        for (const {labels, value} of metrics ? metric.read(metrics) : []) this.inc(labels, value);
      },
    });
  }
}

/** The very copy that `@loopback/metrics` shows; another would show nothing. */
function prometheusOfLoopBack(): Prometheus {
  try {
    return createRequire(require.resolve('@loopback/metrics'))('prom-client') as Prometheus;
  } catch (error) {
    const message =
      'the application has a MetricsComponent, but @loopback/metrics is not installed ' +
      'where loopback4-live-entities finds it';
    throw new Error(message, {cause: error});
  }
}
