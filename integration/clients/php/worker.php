<?php
// A worker on PHP's GearmanWorker: worker.php HOST PORT FUNCTION=BEHAVIOUR[=MILLISECONDS]...
// What it prints and reads: ../doc.go.

function announce(GearmanJob $job): void
{
    printf("job %s %s\n", $job->functionName(), bin2hex(substr($job->workload(), 0, 32)));
}

function await_go(): void
{
    if (fgets(STDIN) === false) {
        exit;
    }
}

$behaviours = [
    'reverse' => function (GearmanJob $job) {
        announce($job);
        return strrev($job->workload());
    },
    'hold' => function (GearmanJob $job) {
        announce($job);
        await_go();
        return strrev($job->workload());
    },
    'progress' => function (GearmanJob $job) {
        $job->sendStatus(3, 10);
        announce($job);
        await_go();
        return strrev($job->workload());
    },
    'data' => function (GearmanJob $job) {
        announce($job);
        $job->sendData('one');
        $job->sendData('two');
        return 'done';
    },
    'warning' => function (GearmanJob $job) {
        announce($job);
        $job->sendWarning('careful');
        return 'done';
    },
    'fail' => function (GearmanJob $job) {
        announce($job);
        $job->sendFail();
    },
    'exception' => function (GearmanJob $job) {
        announce($job);
        $job->sendException('boom');
    },
];

$worker = new GearmanWorker();
$worker->addServer($argv[1], (int) $argv[2]);
$worker->setId('php');
foreach (array_slice($argv, 3) as $spec) {
    [$function, $name, $milliseconds] = explode('=', $spec) + [2 => '0'];
    $worker->addFunction($function, $behaviours[$name], null, (int) $milliseconds);
}

// Loss of the server is no error of this program: the library connects again
// at the next call.
$lost = [GEARMAN_LOST_CONNECTION, GEARMAN_COULD_NOT_CONNECT, GEARMAN_NO_SERVERS, GEARMAN_NOT_CONNECTED, GEARMAN_ERRNO];
$expected = [GEARMAN_SUCCESS, GEARMAN_WORK_FAIL, GEARMAN_WORK_EXCEPTION];
while (true) {
    @$worker->work();
    $code = $worker->returnCode();
    if (in_array($code, $lost, true)) {
        usleep(50000);
    } elseif (!in_array($code, $expected, true)) {
        echo 'error ', $worker->error(), "\n";
    }
}
